"""`activate`: who may call it, only once and permanently, with a reason, by the database's clock."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from importlib import import_module
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import Group, Permission
from django.core.exceptions import PermissionDenied, ValidationError

from accounts.models import Account, Refusal, User
from core.clock import database_now
from core.refusals import AlreadyDone
from onboarding.actions import activate
from onboarding.models import Onboarding, Origin
from tests.accounts.zones import in_zone
from tests.conftest import INSTALLED, codes
from tests.guarding import nothing_written, settle

NOON = datetime(2026, 3, 16, 12, tzinfo=UTC)


def test_the_team_ends_onboarding_and_it_is_recorded(installed: Account, member: User) -> None:
    onboarding = activate(installed, by=member, reason="  Set up and tested. ", now=NOON)
    assert onboarding == Onboarding.objects.active().get()
    assert (onboarding.activated_at, onboarding.activated_by, onboarding.activated_from, onboarding.reason) == (
        NOON,
        member,
        Origin.ADMIN,
        "Set up and tested.",
    )
    assert onboarding.started_at == INSTALLED
    changed, born = onboarding.history.all()
    assert (changed.history_type, changed.history_user, changed.history_date) == ("~", member, NOON)
    assert (born.history_type, born.activated_at) == ("+", None)
    settle()
    assert onboarding.history.count() == 2


def test_the_first_charged_day_is_the_accounts_own(make_account: Callable[..., Account], member: User) -> None:
    moment = datetime(2026, 3, 16, 3, 30, tzinfo=UTC)
    for number, zone, day in (("100002", "America/New_York", 15), ("100003", "Pacific/Auckland", 16)):
        account = make_account(number, timezone=zone)
        Onboarding.objects.create(account=account, started_at=INSTALLED)
        onboarding = activate(account, by=member, reason="Ready", now=moment)
        assert onboarding.activated_on is not None
        assert onboarding.activated_on.day == day
        assert onboarding.is_active


def test_an_account_in_a_zone_that_nobody_knows_is_refused_with_the_reason(
    installed: Account, owner: User, member: User
) -> None:
    in_zone(installed, "Mars/Olympus")
    with pytest.raises(ValidationError) as refusal:
        activate(installed, by=member, reason="Ready")
    assert refusal.value.code == "unknown_timezone"
    assert not Onboarding.objects.get().is_active


def test_age_counts_until_the_activation(active: Account) -> None:
    assert active.onboarding.age(NOON + timedelta(days=90)) == NOON - INSTALLED
    assert Onboarding(started_at=INSTALLED).age(NOON) == NOON - INSTALLED


@pytest.mark.parametrize("who", ["owner", "supporter", "biller"])
def test_nobody_else_activates(request: pytest.FixtureRequest, installed: Account, who: str) -> None:
    user = request.getfixturevalue(who)
    with nothing_written(but=(Refusal,)), pytest.raises(PermissionDenied):
        activate(installed, by=user, reason="Ready")
    refusal = Refusal.objects.get()
    assert (refusal.by, refusal.account, refusal.action, refusal.rule) == (
        user,
        installed,
        "activate",
        "permission_denied",
    )


@pytest.mark.parametrize(
    "lost", [{"is_active": False}, {"is_staff": False}, {"is_superuser": True, "is_active": False}], ids=str
)
def test_who_lost_it_meanwhile_does_not_activate(installed: Account, member: User, lost: dict[str, bool]) -> None:
    assert member.has_perm("onboarding.activate_account")  # this fills the permission cache of this object
    User.objects.filter(pk=member.pk).update(**lost)
    with nothing_written(but=(Refusal,)), pytest.raises(PermissionDenied):
        activate(installed, by=member, reason="Ready")


def test_who_left_the_team_meanwhile_does_not_activate(installed: Account, member: User) -> None:
    assert member.has_perm("onboarding.activate_account")
    User.objects.get(pk=member.pk).groups.clear()
    with nothing_written(but=(Refusal,)), pytest.raises(PermissionDenied):
        activate(installed, by=member, reason="Ready")


def test_a_permission_without_being_staff_is_not_enough(installed: Account, owner: User) -> None:
    owner.user_permissions.add(Permission.objects.get(codename="activate_account"))
    owner.groups.add(Group.objects.get(name="Onboarding team"))
    with nothing_written(but=(Refusal,)), pytest.raises(PermissionDenied):
        activate(installed, by=owner, reason="Ready")


def test_superusers_and_staff_with_the_permission_activate(
    installed: Account, make_account: Callable[..., Account], make_user: Callable[..., User]
) -> None:
    superuser = make_user("root@example.com", is_staff=True, is_superuser=True)
    assert activate(installed, by=superuser, reason="Ready").activated_by == superuser
    permitted = make_user("ann@example.com", is_staff=True)
    permitted.user_permissions.add(Permission.objects.get(codename="activate_account"))
    other = make_account("100002")
    Onboarding.objects.create(account=other, started_at=INSTALLED)
    assert activate(other, by=permitted, reason="Ready").activated_by == permitted


@pytest.mark.parametrize("reason", ["", "  \n\t "])
def test_a_reason_is_required(installed: Account, member: User, reason: str) -> None:
    with nothing_written(but=(Refusal,)), pytest.raises(ValidationError) as refusal:
        activate(installed, by=member, reason=reason)
    assert codes(refusal.value) == {("reason", "reason_missing")}
    assert Refusal.objects.get().field == "reason"


def test_a_second_activation_answers_since_when_it_is_active_and_writes_nothing(active: Account, member: User) -> None:
    with nothing_written(), pytest.raises(AlreadyDone) as answer:
        activate(active, by=member, reason="Again")
    assert answer.value.code == "already_active"
    assert answer.value.messages == ["Account 100001 is already active since March 16, 2026 at 08:00 EDT."]


def test_without_contact_center_there_is_nothing_to_activate(account: Account, member: User) -> None:
    with nothing_written(but=(Refusal,)), pytest.raises(ValidationError) as refusal:
        activate(account, by=member, reason="Ready")
    assert codes(refusal.value) == {("__all__", "not_installed")}


def test_an_activation_before_the_start_is_refused_in_words(installed: Account, member: User) -> None:
    with nothing_written(but=(Refusal,)), pytest.raises(ValidationError) as refusal:
        activate(installed, by=member, reason="Ready", now=INSTALLED - timedelta(seconds=1))
    assert codes(refusal.value) == {("__all__", "activation_follows_start")}
    assert refusal.value.messages == ["An account can't be activated before its onboarding started."]


@pytest.mark.parametrize("minutes", [-10, 10])
def test_the_clock_is_the_databases_not_the_applications(installed: Account, member: User, minutes: int) -> None:
    before = database_now()
    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=minutes), tick=False):
        onboarding = activate(installed, by=member, reason="Ready")
    after = database_now()
    assert onboarding.activated_at is not None
    assert before < onboarding.activated_at < after
    assert onboarding.history.latest("history_id").history_date == onboarding.activated_at


def test_the_clock_is_read_after_the_lock(installed: Account, member: User, monkeypatch: pytest.MonkeyPatch) -> None:
    happened: list[str] = []

    def noted(name: str, verb: Callable[..., Any]) -> Callable[..., Any]:
        def run(*args: Any) -> Any:
            happened.append(name)
            return verb(*args)

        return run

    queryset = type(Account.objects.all())
    monkeypatch.setattr(queryset, "locked", noted("locked", queryset.locked))
    monkeypatch.setattr(import_module("onboarding.actions.activate"), "database_now", noted("clock read", database_now))
    activate(installed, by=member, reason="Ready")
    assert happened == ["locked", "clock read"]
