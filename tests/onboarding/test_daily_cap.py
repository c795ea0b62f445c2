"""The daily cap on activations by hand: in the admin, by command, and by many at once."""

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from importlib import import_module
from threading import Barrier
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from accounts.models import Account, Refusal, User
from onboarding import activating, daily_cap
from onboarding.actions import activate, activate_many, activate_scheduled, schedule_activation
from onboarding.activating import Activations
from onboarding.models import Onboarding, Origin
from tests.conftest import INSTALLED, codes
from tests.racing import at_once

NOON = datetime(2026, 3, 16, 12, tzinfo=UTC)
MIDNIGHT = datetime(2026, 3, 17, tzinfo=UTC)
LIMIT = 2


@pytest.fixture
def waiting(make_account: Callable[..., Account], owner: User, settings: Any) -> list[Account]:
    """Six accounts in onboarding, the oldest first. Two may be activated in a day."""
    settings.ONBOARDING_ACTIVATIONS_A_DAY = LIMIT
    accounts = [make_account(f"2000{number:02}", owner=owner) for number in range(6)]
    for number, account in enumerate(accounts):
        Onboarding.objects.create(account=account, started_at=INSTALLED + timedelta(minutes=number))
    return accounts


def keys_of(accounts: Sequence[Account]) -> list[int]:
    return [account.pk for account in accounts]


def active() -> list[int]:
    return sorted(Onboarding.objects.active().values_list("account", flat=True))


def test_one_by_one_the_team_stops_at_the_cap_and_an_administrator_does_not(
    waiting: list[Account], member: User, root: User
) -> None:
    for account in waiting[:LIMIT]:
        activate(account, by=member, reason="Ready", now=NOON)
    with pytest.raises(ValidationError, match="limit is 2 a day") as refusal:
        activate(waiting[2], by=member, reason="Ready", now=MIDNIGHT - timedelta(seconds=1))
    assert codes(refusal.value) == {("__all__", "daily_cap")}
    recorded = Refusal.objects.get()
    assert (recorded.account, recorded.rule, recorded.tried) == (waiting[2], "daily_cap", "")  # not “tried 1”
    activate(waiting[3], by=root, reason="Ready", now=NOON)
    activate(waiting[2], by=member, reason="Ready", now=MIDNIGHT)
    assert active() == sorted(keys_of(waiting[:4]))


def test_more_than_the_cap_are_refused_before_the_first_one(waiting: list[Account], member: User, root: User) -> None:
    keys = keys_of(waiting)
    with pytest.raises(ValidationError, match="Only 2 more accounts can be activated today"):
        list(activate_many(keys[:3], by=member, reason="Ready", now=NOON))
    assert active() == []
    list(activate_many([*keys[:2], 10**9], by=member, reason="Ready", now=NOON))
    assert active() == sorted(keys[:2])
    # Those that are active don't count again.
    list(activate_many(keys[:2], by=member, reason="Ready", now=NOON))
    list(activate_many(keys, by=root, reason="Ready", now=NOON))
    assert active() == sorted(keys)


def test_what_exceeds_the_cap_under_the_lock_is_named_and_the_oldest_come_first(
    waiting: list[Account], member: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = import_module("onboarding.actions.activate_many")
    # As if others activated theirs after it was asked.
    monkeypatch.setattr(module, "check_daily_cap", lambda *args, **kwargs: None)
    keys = keys_of(waiting)
    [outcome] = activate_many(keys[::-1], by=member, reason="Ready", now=NOON)
    assert sorted(outcome.activated) == active() == sorted(keys[:LIMIT])
    assert outcome.refused.keys() == set(keys[LIMIT:])
    assert all("Continue tomorrow" in words for words in outcome.refused.values())


def test_a_cap_of_zero_is_for_administrators_only_and_does_not_say_tomorrow(
    waiting: list[Account], member: User, root: User, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.ONBOARDING_ACTIVATIONS_A_DAY = 0
    said = "Only administrators can activate accounts by hand."
    keys = keys_of(waiting)
    with pytest.raises(ValidationError) as one:
        activate(waiting[0], by=member, reason="Ready", now=NOON)
    with pytest.raises(ValidationError) as many:
        list(activate_many(keys, by=member, reason="Ready", now=NOON))
    assert one.value.messages == many.value.messages == [said]
    monkeypatch.setattr(import_module("onboarding.actions.activate_many"), "check_daily_cap", lambda *_, **__: None)
    [outcome] = activate_many(keys, by=member, reason="Ready", now=NOON)
    assert set(outcome.refused.values()) == {said}
    activate(waiting[0], by=root, reason="Ready", now=NOON)
    assert active() == keys[:1]


def test_schedules_neither_count_nor_stop_at_it(waiting: list[Account], member: User) -> None:
    for account in waiting[:4]:
        schedule_activation(account, on=date(2026, 3, 16), reason="Agreed", by=member, now=NOON - timedelta(days=9))
    [outcome] = activate_scheduled(now=NOON)
    assert sorted(outcome.activated) == sorted(keys_of(waiting[:4]))
    for account in waiting[4:]:
        activate(account, by=member, reason="Ready", now=NOON)
    assert active() == sorted(keys_of(waiting))


def activate_each(waiting: list[Account], member: User) -> list[Any]:
    """Let six members of the team activate one account each at the same moment, one by one and in batches."""

    def one(number: int) -> Any:
        if number % 2:
            return activate(waiting[number], by=member, reason="Ready", now=NOON)
        return activating.activate_chunk(
            [waiting[number].pk],
            by=member,
            origin=Origin.BATCH,
            now=NOON,
            chosen=lambda keys, now: dict.fromkeys(keys, "Ready"),
        )

    return at_once(6, one)


@pytest.mark.django_db(transaction=True)
def test_many_at_once_keep_to_the_cap_together(waiting: list[Account], member: User) -> None:
    outcomes = activate_each(waiting, member)
    assert len(active()) == LIMIT
    assert all(isinstance(each, Onboarding | Activations | ValidationError) for each in outcomes), outcomes


@pytest.mark.django_db(transaction=True)
def test_control_without_its_lock_the_cap_is_overrun(
    waiting: list[Account], member: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted, left_on = Barrier(6), daily_cap.left_of_day

    def all_count_first(now: datetime) -> int:
        left = left_on(now)
        counted.wait(timeout=60)
        return left

    monkeypatch.setattr(daily_cap, "wait_for", lambda lock: None)
    monkeypatch.setattr(daily_cap, "left_of_day", all_count_first)
    activate_each(waiting, member)
    assert len(active()) == 6
