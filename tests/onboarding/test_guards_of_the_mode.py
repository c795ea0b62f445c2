"""The database's guards of the mode: it starts as onboarding (I4) and ends once (I3), by the team (I5)."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.db import IntegrityError, transaction
from django.db.models import ProtectedError

from accounts.models import Account, User
from onboarding.models import Onboarding, Origin
from tests.guarding import INSERTS, UPDATES, by_upsert, named, nothing_written, refused_by, sql

EXERCISED = {
    "onboarding_is_born_in_onboarding",
    "onboarding_activation_is_final",
    "onboarding_activated_by_the_team",
    "onboarding_is_never_deleted",
    "user_system_member_is_fixed",
}
NOON = datetime(2026, 3, 20, 12, tzinfo=UTC)
IN_ONBOARDING = {"activated_at": None, "activated_on": None, "activated_by": None, "activated_from": "", "reason": ""}


def activation(by: User) -> dict[str, Any]:
    return {
        "activated_at": NOON,
        "activated_on": NOON.date(),
        "activated_by": by,
        "activated_from": Origin.ADMIN,
        "reason": "Ready",
    }


@pytest.mark.parametrize("way", UPDATES, ids=named)
@pytest.mark.parametrize(
    "forged",
    [
        IN_ONBOARDING,
        {"activated_at": NOON},
        {"activated_from": Origin.SCHEDULE},
        {"reason": "Another"},
        {"started_at": NOON - timedelta(days=90)},
    ],
    ids=named,
)
def test_an_activation_is_never_undone_or_changed(active: Account, way: Callable[..., None], forged: Any) -> None:
    # An upsert starts as an INSERT, for which another guard refuses an active row.
    with refused_by("onboarding_activation_is_final", *["onboarding_is_born_in_onboarding"] * (way is by_upsert)):
        way(active.onboarding, **forged)


@pytest.mark.parametrize("way", UPDATES, ids=named)
def test_another_activator_never_takes_the_place_of_the_first(
    active: Account, make_user: Callable[..., User], way: Callable[..., None]
) -> None:
    other = make_user("root@example.com", is_staff=True, is_superuser=True)
    with refused_by("onboarding_activation_is_final", *["onboarding_is_born_in_onboarding"] * (way is by_upsert)):
        way(active.onboarding, activated_by=other)


@pytest.mark.parametrize("way", UPDATES, ids=named)
@pytest.mark.parametrize("mode", ["installed", "active"])
def test_the_record_of_onboarding_never_moves_to_another_account(
    request: pytest.FixtureRequest, make_account: Callable[..., Account], way: Callable[..., None], mode: str
) -> None:
    account, other = request.getfixturevalue(mode), make_account("100002")
    with refused_by("onboarding_activation_is_final", *["onboarding_is_born_in_onboarding"] * (way is by_upsert)):
        way(account.onboarding, account=other)


@pytest.mark.parametrize("mode", ["installed", "active"])
def test_the_key_of_the_record_never_changes(request: pytest.FixtureRequest, mode: str) -> None:
    onboarding = request.getfixturevalue(mode).onboarding
    with refused_by("onboarding_activation_is_final"):
        Onboarding.objects.update(id=onboarding.pk + 1)
    with refused_by("onboarding_activation_is_final"):
        sql("UPDATE onboarding_onboarding SET id = id + 1")


def test_the_first_history_row_can_not_be_brought_back(active: Account) -> None:
    born = active.onboarding.history.earliest().instance
    assert not born.is_active
    with refused_by("onboarding_activation_is_final"):
        born.save()


def test_a_second_activation_by_the_team_is_refused_too(active: Account, member: User) -> None:
    with refused_by("onboarding_activation_is_final"):
        Onboarding.objects.update(**activation(member))


def test_the_record_is_never_deleted_to_be_born_again(active: Account) -> None:
    with refused_by("onboarding_is_never_deleted"):
        active.onboarding.delete()
    with refused_by("onboarding_is_never_deleted"):
        Onboarding.objects.all().delete()
    with refused_by("onboarding_is_never_deleted"):
        sql("DELETE FROM onboarding_onboarding")
    with refused_by("onboarding_is_never_deleted"):
        sql("WITH gone AS (DELETE FROM onboarding_onboarding RETURNING id, account_id) SELECT * FROM gone")
    with nothing_written(), pytest.raises(ProtectedError):
        active.delete()


def test_a_second_record_of_an_account_is_refused(active: Account) -> None:
    with (
        nothing_written(),
        pytest.raises(IntegrityError, match="onboarding_onboarding_account_id"),
        transaction.atomic(),
    ):
        Onboarding.objects.create(account=active, started_at=NOON)


@pytest.mark.parametrize("way", INSERTS, ids=named)
def test_no_record_is_born_active(account: Account, member: User, way: Callable[[Any], None]) -> None:
    with refused_by("onboarding_is_born_in_onboarding"):
        way(Onboarding(account=account, started_at=NOON, **activation(member)))


def never_on_the_team(user: User) -> None:
    user.groups.clear()


def switched_off(user: User) -> None:
    User.objects.filter(pk=user.pk).update(is_active=False)


def no_longer_staff(user: User) -> None:
    User.objects.filter(pk=user.pk).update(is_staff=False)


def superuser_switched_off(user: User) -> None:
    User.objects.filter(pk=user.pk).update(is_superuser=True, is_active=False)


def superuser_but_not_staff(user: User) -> None:
    User.objects.filter(pk=user.pk).update(is_superuser=True, is_staff=False)


def group_without_the_permission(user: User) -> None:
    user.groups.get().permissions.remove(Permission.objects.get(codename="activate_account"))


@pytest.mark.parametrize("way", UPDATES, ids=named)
@pytest.mark.parametrize(
    "made",
    [
        never_on_the_team,
        switched_off,
        no_longer_staff,
        superuser_switched_off,
        superuser_but_not_staff,
        group_without_the_permission,
    ],
    ids=named,
)
def test_nobody_else_activates(
    installed: Account, member: User, made: Callable[[User], None], way: Callable[..., None]
) -> None:
    made(member)
    with refused_by("onboarding_activated_by_the_team", *["onboarding_is_born_in_onboarding"] * (way is by_upsert)):
        way(installed.onboarding, **activation(member))


@pytest.mark.parametrize("who", ["owner", "supporter", "biller"])
def test_an_activator_can_not_be_forged(request: pytest.FixtureRequest, installed: Account, who: str) -> None:
    with refused_by("onboarding_activated_by_the_team"):
        Onboarding.objects.update(**activation(request.getfixturevalue(who)))


def test_one_forged_activator_among_many_rows_stops_the_statement(
    installed: Account, make_account: Callable[..., Account], member: User, supporter: User
) -> None:
    Onboarding.objects.create(account=make_account("100002"), started_at=NOON)
    with refused_by("onboarding_activated_by_the_team"):
        sql(
            "UPDATE onboarding_onboarding SET activated_at = %s, activated_from = 'admin', reason = 'Ready', "
            "activated_by_id = CASE account_id WHEN %s THEN %s::bigint ELSE %s::bigint END",
            NOON,
            installed.pk,
            member.pk,
            supporter.pk,
        )


def test_the_database_lets_the_team_and_superusers_activate(
    installed: Account, make_account: Callable[..., Account], make_user: Callable[..., User]
) -> None:
    superuser = make_user("root@example.com", is_staff=True, is_superuser=True)
    permitted = make_user("ann@example.com", is_staff=True)
    permitted.user_permissions.add(Permission.objects.get(codename="activate_account"))
    other = Onboarding.objects.create(account=make_account("100002"), started_at=NOON)
    assert Onboarding.objects.filter(account=installed).update(**activation(superuser)) == 1
    assert Onboarding.objects.filter(pk=other.pk).update(**activation(permitted)) == 1


# The day is left out, because the database fills it in.
@pytest.mark.parametrize("part", [part for part in IN_ONBOARDING if part != "activated_on"], ids=named)
def test_an_activation_is_whole(installed: Account, member: User, part: str) -> None:
    with refused_by("activation_is_whole"):
        Onboarding.objects.update(**{**activation(member), part: IN_ONBOARDING[part]})


def test_an_activation_follows_the_start(installed: Account, member: User) -> None:
    early = installed.onboarding.started_at - timedelta(microseconds=1)
    with refused_by("activation_follows_start"):
        Onboarding.objects.update(**{**activation(member), "activated_at": early})


def test_the_system_member_activates_by_the_schedule_and_by_nothing_else(installed: Account) -> None:
    system = User.objects.system_member()
    with refused_by("onboarding_activated_by_the_team"):
        Onboarding.objects.update(**activation(system))
    Onboarding.objects.update(announced_for=activation(system)["activated_on"])
    Onboarding.objects.update(**activation(system) | {"activated_from": Origin.SCHEDULE})
    assert Onboarding.objects.get().is_active


def test_nobody_else_activates_by_the_schedule(installed: Account, owner: User, supporter: User) -> None:
    for user in (owner, supporter):
        with refused_by("onboarding_activated_by_the_team"):
            Onboarding.objects.update(**activation(user) | {"activated_from": Origin.SCHEDULE})


@pytest.mark.parametrize("way", UPDATES, ids=named)
def test_nobody_becomes_the_system_member(installed: Account, owner: User, way: Callable[..., None]) -> None:
    with refused_by("user_system_member_is_fixed", *["system_member_never_logs_in"] * (way is by_upsert)):
        way(owner, is_system=True)


@pytest.mark.parametrize("way", UPDATES, ids=named)
@pytest.mark.parametrize(
    "rights", [{"is_staff": True}, {"is_superuser": True}, {"password": "pbkdf2$1$salt$hash"}], ids=named
)
def test_the_system_member_never_logs_in(db: None, way: Callable[..., None], rights: dict[str, Any]) -> None:
    system = User.objects.system_member()
    with refused_by("system_member_never_logs_in"):
        way(system, **rights)


def test_there_is_one_system_member(db: None) -> None:
    assert User.objects.system_member() == User.objects.system_member()
    with refused_by("one_system_member"):
        User.objects.create_user("another@system.invalid", is_system=True)
