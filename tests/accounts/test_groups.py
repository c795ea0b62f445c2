"""The three staff groups after `migrate`, each with exactly its permissions (R27)."""

import pytest
from django.contrib.auth.models import Group, Permission
from django.core.management import call_command

from accounts.models import User
from core.groups import BILLING_TEAM, ONBOARDING_TEAM, SUPPORT

GRANTED = {
    ONBOARDING_TEAM: {
        "accounts.add_account",
        "accounts.change_account",
        "accounts.add_contact",
        "accounts.change_contact",
        "accounts.delete_contact",
        "accounts.add_user",
        "accounts.add_serviceuser",
        "accounts.add_phonenumber",
        "accounts.change_phonenumber",
        "onboarding.activate_account",
        "onboarding.change_onboarding",
        "onboarding.send_notice",
        "subscriptions.add_contactcenter",
        "subscriptions.change_contactcenter",
    },
    BILLING_TEAM: {"subscriptions.add_price", "subscriptions.change_price", "subscriptions.delete_price"},
    SUPPORT: set(),
}
APPS = ("accounts", "onboarding", "subscriptions")


def names(permissions: object) -> set[str]:
    """Return the permissions as `app.codename`."""
    return {f"{p.content_type.app_label}.{p.codename}" for p in permissions.select_related("content_type")}  # type: ignore[attr-defined]


def of_group(name: str) -> set[str]:
    return {name for name in names(Group.objects.get(name=name).permissions) if name.split(".")[0] in APPS}


def to_look() -> set[str]:
    return names(Permission.objects.filter(content_type__app_label__in=APPS, codename__startswith="view_"))


@pytest.mark.parametrize("name", GRANTED)
def test_each_group_may_look_at_all_and_do_what_is_its_own(db: None, name: str) -> None:
    assert of_group(name) == to_look() | GRANTED[name]


@pytest.mark.parametrize("name", GRANTED)
def test_no_group_has_a_permission_of_anything_else(db: None, name: str) -> None:
    apps = {name.split(".")[0] for name in names(Group.objects.get(name=name).permissions)}
    assert apps - {*APPS, "billing", "core"} == set()


@pytest.mark.parametrize(
    ("name", "given"),
    [
        (ONBOARDING_TEAM, {"core.view_job", "core.retry_job"}),
        (BILLING_TEAM, {"core.view_job", "core.retry_job"}),
        (SUPPORT, set()),
    ],
)
def test_jobs_are_the_teams_own(db: None, name: str, given: set[str]) -> None:
    found = names(Group.objects.get(name=name).permissions)
    assert {name for name in found if name.startswith("core.")} == given


def test_support_only_looks(supporter: User) -> None:
    assert {name.split(".")[1].split("_")[0] for name in supporter.get_all_permissions()} == {"view"}


def test_only_the_onboarding_team_activates(member: User, biller: User, supporter: User) -> None:
    may = [user.has_perm("onboarding.activate_account") for user in (member, biller, supporter)]
    assert may == [True, False, False]


def test_what_was_given_by_hand_stays_at_the_next_migrate(db: None) -> None:
    group = Group.objects.get(name=SUPPORT)
    group.permissions.add(Permission.objects.get(codename="add_serviceuser"))
    Group.objects.get(name=BILLING_TEAM).permissions.clear()
    call_command("migrate", verbosity=0)
    assert of_group(SUPPORT) == to_look() | {"accounts.add_serviceuser"}
    assert of_group(BILLING_TEAM) == to_look() | GRANTED[BILLING_TEAM]
    assert Group.objects.count() == 3


@pytest.mark.django_db(transaction=True)
def test_the_groups_come_back_when_a_database_is_flushed() -> None:
    # Sequences are not reset, since new keys could collide with the stored keys that tests/conftest.py inserts.
    call_command("flush", interactive=False, verbosity=0, reset_sequences=False)
    for name, granted in GRANTED.items():
        assert of_group(name) == to_look() | granted
