"""What is automatic happens once: with several workers, with a killed one, and if plans change meanwhile."""

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from importlib import import_module
from threading import Barrier
from typing import Any

import pytest

from accounts.models import Account, AccountQuerySet, User
from onboarding import actions, activating, announcing, due
from onboarding.activating import Activations
from onboarding.models import Notice, NoticeKind, Onboarding, Origin
from tests.forking import KILLED, Fork, dies_at
from tests.guarding import sql
from tests.racing import at_once

pytestmark = pytest.mark.django_db(transaction=True)
STARTED = datetime(2026, 3, 5, 15, tzinfo=UTC)
ACTIVE_ON = date(2026, 5, 5)
NIGHT = datetime(2026, 5, 5, 4, tzinfo=UTC)  # midnight in New York
WARNING = NIGHT - timedelta(days=7)
WAITING = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"


@pytest.fixture(autouse=True)
def policy(settings: Any) -> Any:
    settings.ONBOARDING_DEADLINE_DAYS = 60
    return settings


@pytest.fixture
def unannounced(make_account: Callable[..., Account], owner: User) -> list[Account]:
    """Six accounts in onboarding with a deadline of May 4 that is not announced yet."""
    accounts = [make_account(f"2000{number:02}", owner=owner) for number in range(6)]
    for account in accounts:
        Onboarding.objects.create(account=account, started_at=STARTED)
    return accounts


@pytest.fixture
def waiting(unannounced: list[Account]) -> list[Account]:
    """The same accounts, after their activation was announced."""
    list(actions.announce(now=WARNING))
    return unannounced


@pytest.fixture
def scheduled(waiting: list[Account], member: User) -> list[Account]:
    """The same accounts, scheduled for the announced day."""
    for account in waiting:
        actions.schedule_activation(account, on=ACTIVE_ON, reason="As agreed", by=member, now=WARNING)
    return waiting


def keys_of(accounts: Sequence[Account]) -> list[int]:
    return sorted(account.pk for account in accounts)


def active() -> list[int]:
    return sorted(Onboarding.objects.active().values_list("account", flat=True))


def each_happened_once(accounts: Sequence[Account]) -> None:
    """Assert that all are active, each with one history row of the activation and one notice of it."""
    assert active() == keys_of(accounts)
    activations = Onboarding.history.filter(history_type="~", history_change_reason="Activated")
    assert Counter(activations.values_list("account", flat=True)) == dict.fromkeys(keys_of(accounts), 1)
    told = Notice.objects.filter(kind=NoticeKind.ACTIVATED)
    assert Counter(told.values_list("account", flat=True)) == dict.fromkeys(keys_of(accounts), 1)


def worker(verb: str, point: str = "-", times: int = 0, chunk: int = 2, now: datetime = NIGHT) -> Fork:
    """Run the action in a fork that is killed on call number `times` + 1 of the checkpoint `point`."""

    def until_killed() -> None:
        activating.checkpoint = announcing.checkpoint = dies_at(point, times)
        for _ in getattr(actions, verb)(now=now, chunk=chunk):
            pass

    return Fork(until_killed)


def run(verb: str, *arguments: Any, **named: Any) -> tuple[int, str]:
    return worker(verb, *arguments, **named).wait()


# Killed


@pytest.mark.parametrize("by", ["activate_scheduled", "activate_overdue"])
@pytest.mark.parametrize(
    ("point", "times", "done"), [("after lock", 0, 0), ("after activation", 1, 2), ("before commit", 2, 4)]
)
def test_killed_and_run_again_each_is_activated_once(
    request: pytest.FixtureRequest, by: str, point: str, times: int, done: int
) -> None:
    accounts = request.getfixturevalue("scheduled" if by == "activate_scheduled" else "waiting")
    status, told = run(by, point, times)
    assert status == KILLED, told
    assert len(active()) == Notice.objects.filter(kind=NoticeKind.ACTIVATED).count() == done
    assert run(by) == (0, "")
    each_happened_once(accounts)


@pytest.mark.parametrize(("point", "times", "done"), [("after announcement", 1, 2), ("announced, before commit", 0, 0)])
def test_killed_and_run_again_each_is_warned_once(
    unannounced: list[Account], point: str, times: int, done: int
) -> None:
    status, told = run("announce", point, times, now=WARNING)
    assert status == KILLED, told
    assert Onboarding.objects.filter(announced_for=ACTIVE_ON).count() == Notice.objects.count() == done
    assert run("announce", now=WARNING) == (0, "")
    assert Onboarding.objects.filter(announced_for=ACTIVE_ON).count() == 6
    told = Counter(Notice.objects.filter(kind=NoticeKind.SOON).values_list("account", flat=True))
    assert told == dict.fromkeys(keys_of(unannounced), 1)


# Two workers


@pytest.mark.parametrize("by", ["activate_scheduled", "activate_overdue"])
def test_two_processes_at_once_and_one_is_killed(request: pytest.FixtureRequest, by: str) -> None:
    accounts = request.getfixturevalue("scheduled" if by == "activate_scheduled" else "waiting")
    killed, other = worker(by, "before commit", 1, 1), worker(by, "-", 0, 1)
    assert other.wait() == (0, "")
    killed.wait()
    # An account that neither activated is the one that the killed process was activating.
    assert len(active()) >= 5
    assert run(by) == (0, "")
    each_happened_once(accounts)


@pytest.mark.parametrize("by", ["activate_scheduled", "activate_overdue"])
def test_many_workers_activate_each_once(request: pytest.FixtureRequest, by: str) -> None:
    accounts = request.getfixturevalue("scheduled" if by == "activate_scheduled" else "waiting")
    verb = getattr(actions, by)
    outcomes = at_once(6, lambda number: [key for done in verb(now=NIGHT, chunk=2) for key in done.activated])
    assert sorted(key for keys in outcomes if isinstance(keys, list) for key in keys) == keys_of(accounts), outcomes
    each_happened_once(accounts)


def test_many_workers_announce_each_once(unannounced: list[Account]) -> None:
    before = Onboarding.history.count()
    User.objects.system_member()
    outcomes = at_once(6, lambda number: [key for done in actions.announce(now=WARNING) for key in done.changed])
    assert sorted(key for keys in outcomes if isinstance(keys, list) for key in keys) == keys_of(unannounced), outcomes
    assert Onboarding.history.count() == before + 6
    assert Notice.objects.filter(kind=NoticeKind.SOON).count() == 6


# The limit on activations


def activate_each_one(accounts: list[Account]) -> None:
    """Let six workers activate one account each, concurrently."""
    by = User.objects.system_member()

    def one(number: int) -> Activations:
        some = [accounts[number].pk]
        return activating.activate_chunk(some, by=by, origin=Origin.SCHEDULE, now=NIGHT, chosen=due.still_overdue)

    outcomes = at_once(6, one)
    assert all(isinstance(outcome, Activations) for outcome in outcomes), outcomes


def test_workers_at_once_keep_the_bound_together(waiting: list[Account], policy: Any) -> None:
    policy.ONBOARDING_ACTIVATIONS_A_NIGHT = 2
    activate_each_one(waiting)
    assert len(active()) == 2


def test_control_without_its_lock_the_bound_is_overrun(
    waiting: list[Account], policy: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    policy.ONBOARDING_ACTIVATIONS_A_NIGHT = 2
    counted = Barrier(6)
    allowance = due.allowance

    def all_count_first(now: datetime) -> int:
        left = allowance(now)
        counted.wait(timeout=60)
        return left

    monkeypatch.setattr(due, "lock_allowance", lambda: None)
    monkeypatch.setattr(due, "allowance", all_count_first)
    activate_each_one(waiting)
    assert len(active()) == 6


# Plans that change during a run


def change_while_it_runs(account: Account, change: Callable[[], Any], monkeypatch: pytest.MonkeyPatch, by: str) -> Any:
    """Change the plan after the action found the account and before it activates it; return the action's outcome."""
    found, changed = Barrier(2), Barrier(2)
    module = import_module(f"onboarding.actions.{by}")
    real = activating.activate_chunk

    def hold(keys: Sequence[int], **arguments: Any) -> Any:
        assert keys == [account.pk]
        found.wait(timeout=60)
        changed.wait(timeout=60)
        return real(keys, **arguments)

    monkeypatch.setattr(module, "activate_chunk", hold)

    def side(number: int) -> Any:
        if number == 0:
            return list(getattr(actions, by)(now=NIGHT))
        found.wait(timeout=60)
        outcome = change()
        changed.wait(timeout=60)
        return outcome

    run_, change_ = at_once(2, side)
    assert not isinstance(change_, Exception), change_
    assert not isinstance(run_, Exception), run_
    return run_


CHANGES: dict[str, tuple[str, Callable[[Account, User], Any]]] = {
    "the schedule is moved": (
        "activate_scheduled",
        lambda account, by: actions.schedule_activation(
            account, on=ACTIVE_ON + timedelta(days=1), reason="Later", by=by, now=NIGHT
        ),
    ),
    "the schedule is cancelled": (
        "activate_scheduled",
        lambda account, by: actions.cancel_schedule(account, by=by, now=NIGHT),
    ),
    "the deadline is extended": (
        "activate_overdue",
        lambda account, by: actions.set_deadline(account, on=ACTIVE_ON, reason="Late", by=by, now=NIGHT),
    ),
    "the deadline is removed": (
        "activate_overdue",
        lambda account, by: actions.remove_deadline(account, reason="Big", by=by, now=NIGHT),
    ),
    "it is scheduled instead": (
        "activate_overdue",
        lambda account, by: actions.schedule_activation(
            account, on=ACTIVE_ON + timedelta(days=1), reason="Later", by=by, now=NIGHT
        ),
    ),
}


@pytest.fixture
def one(make_account: Callable[..., Account], owner: User) -> Account:
    account = make_account("300000", owner=owner)
    Onboarding.objects.create(account=account, started_at=STARTED)
    list(actions.announce(now=WARNING))
    return account


@pytest.mark.parametrize("what", CHANGES)
def test_a_plan_that_changes_meanwhile_is_kept_to(
    one: Account, member: User, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    by, change = CHANGES[what]
    if by == "activate_scheduled":
        actions.schedule_activation(one, on=ACTIVE_ON, reason="As agreed", by=member, now=WARNING)
    outcomes = change_while_it_runs(one, lambda: change(one, member), monkeypatch, by)
    assert outcomes == [Activations()]
    assert active() == []
    assert not Notice.objects.filter(kind=NoticeKind.ACTIVATED).exists()


@pytest.mark.parametrize("what", CHANGES)
@pytest.mark.owner
def test_control_decided_before_the_lock_it_is_activated_against_the_plan(
    one: Account, member: User, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    by, change = CHANGES[what]
    if by == "activate_scheduled":
        actions.schedule_activation(one, on=ACTIVE_ON, reason="As agreed", by=member, now=WARNING)
    for module, name in (("activate_scheduled", "still_scheduled"), ("activate_overdue", "still_overdue")):
        monkeypatch.setattr(
            import_module(f"onboarding.actions.{module}"),
            name,
            lambda keys, now: dict.fromkeys(keys, "Was due when it was found."),
        )
    sql("ALTER TABLE onboarding_onboarding DISABLE TRIGGER onboarding_activated_by_the_team")  # it would refuse most
    try:
        change_while_it_runs(one, lambda: change(one, member), monkeypatch, by)
    finally:
        sql("ALTER TABLE onboarding_onboarding ENABLE TRIGGER onboarding_activated_by_the_team")
    assert active() == [one.pk]


def test_somebody_who_activates_it_meanwhile_has_activated_it(
    one: Account, member: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    activate = lambda: actions.activate(one, by=member, reason="Ready", now=NIGHT)  # noqa: E731
    outcomes = change_while_it_runs(one, activate, monkeypatch, "activate_overdue")
    assert outcomes == [Activations()]
    assert Onboarding.objects.get(account=one).activated_by == member
    each_happened_once([one])


@pytest.mark.parametrize("locked", [True, False])
@pytest.mark.owner  # who sees what other sessions wait for
def test_a_plan_changes_only_when_the_activation_is_done_with_the_account(
    one: Account, member: User, monkeypatch: pytest.MonkeyPatch, locked: bool
) -> None:
    """The lock makes a cancellation wait for the activation. The control, without the lock, cancels it in between."""
    actions.schedule_activation(one, on=ACTIVE_ON, reason="As agreed", by=member, now=WARNING)
    held = Barrier(2)
    if not locked:
        monkeypatch.setattr(AccountQuerySet, "locked", lambda accounts: accounts.order_by("pk"))
    waits: list[bool] = []

    def checkpoint(name: str) -> None:
        if name == "after lock":
            held.wait(timeout=60)
            for _ in range(200):  # until the other thread waits for the lock, or has cancelled without one
                if sql(WAITING) != [(0,)]:
                    waits.append(True)
                    return
                if Onboarding.objects.get(account=one).scheduled_on is None:
                    waits.append(False)
                    return
                sql("SELECT pg_sleep(0.05)")

    monkeypatch.setattr(activating, "checkpoint", checkpoint)

    def side(number: int) -> Any:
        if number == 0:
            return [key for done in actions.activate_scheduled(now=NIGHT) for key in done.activated]
        held.wait(timeout=60)
        return actions.cancel_schedule(one, by=member, now=NIGHT)

    activated, cancelled = at_once(2, side)
    assert waits == [locked]
    if locked:
        assert activated == [one.pk]
        assert "is already active since" in str(cancelled)
    else:
        assert activated == []
        assert isinstance(cancelled, Onboarding)
