"""Imports at the same time as a bill run, other imports, and changes of numbers; each race has a control."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from threading import Barrier
from typing import Any

import pytest
from django.db import IntegrityError, OperationalError
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange

from accounts.models import Account, NumberAssignment, PhoneNumber, User
from billing.actions import correct_timezone
from billing.calls import locking, merging
from billing.calls.matching import match_calls
from billing.calls.staging import Staged
from billing.inputs import tariffs
from billing.models import BilledMonth, CallRecord, InvoiceLine, LateMonth
from billing.runs import chunk
from subscriptions.actions import unassign_number
from tests.billing.call_rows import imported, row
from tests.racing import Threads, overlap

pytestmark = pytest.mark.django_db(transaction=True)
MARCH = date(2026, 3, 1)
APRIL = datetime(2026, 4, 2, tzinfo=UTC)
FAR = "Pacific/Kiritimati"
WITHOUT_LOCK = locking.LOCK.removesuffix("FOR SHARE")


@pytest.fixture
def threads() -> Threads:
    return Threads()


def bill(account: Account) -> None:
    outcome = chunk.bill_chunk([account.pk], month=MARCH, now=APRIL, catalogue=tariffs())
    assert not outcome.failed


def lost() -> bool:
    """Whether March was billed without the call and is not marked late, so that it is never charged."""
    assert CallRecord.objects.charged().count() == 1
    assert BilledMonth.objects.filter(month=MARCH).exists()
    return not InvoiceLine.objects.exists() and not LateMonth.objects.exists()


def receive(account: Account) -> None:
    imported([row("c1")])


def match(account: Account) -> None:
    match_calls()


@pytest.fixture(params=[receive, match])
def arrive(request: Any, answered: PhoneNumber, account: Account, owner: User) -> Callable[[Account], None]:
    """A way in which a call is matched to its account: from a file, or from the unmatched calls."""
    if request.param is match:
        period = answered.assignments.get().period
        unassign_number(account, answered, by=owner, now=datetime(2026, 3, 6, tzinfo=UTC))
        imported([row("c1")])
        again = DateTimeTZRange(datetime(2026, 3, 7, tzinfo=UTC), period.upper)
        NumberAssignment.objects.create(account=account, number=answered, period=again, assigned_by=owner)
    return request.param


@pytest.mark.parametrize("locked", [True, False])
def test_a_call_that_comes_while_its_month_is_billed_is_not_lost(
    arrive: Callable[[Account], None], account: Account, monkeypatch: pytest.MonkeyPatch, locked: bool
) -> None:
    """The run has read the calls and is about to commit. The control, without the lock, loses the call."""
    if not locked:
        monkeypatch.setattr(locking, "LOCK", WITHOUT_LOCK)
    for verb in overlap(monkeypatch, (chunk, "before commit"), lambda: bill(account), lambda: arrive(account)):
        verb.result()
    assert lost() is not locked
    assert LateMonth.objects.exists() is locked


@pytest.mark.parametrize("locked", [True, False])
def test_a_run_that_comes_while_a_call_is_written_waits_for_it(
    arrive: Callable[[Account], None], account: Account, monkeypatch: pytest.MonkeyPatch, locked: bool
) -> None:
    """The call is written and not yet committed. The control, without the lock, loses it."""
    if not locked:
        monkeypatch.setattr(locking, "LOCK", WITHOUT_LOCK)
    for verb in overlap(monkeypatch, (locking, "before commit"), lambda: arrive(account), lambda: bill(account)):
        verb.result()
    assert lost() is not locked
    assert InvoiceLine.objects.exists() is locked


@pytest.mark.parametrize("in_turn", [True, False])
def test_two_imports_of_the_same_calls_take_turns(
    answered: PhoneNumber, threads: Threads, monkeypatch: pytest.MonkeyPatch, in_turn: bool
) -> None:
    """In opposite order, their unique ids would cause a deadlock, as the control shows."""
    rows = [row(f"c{number}") for number in range(20_000)]
    if not in_turn:
        monkeypatch.setattr(merging, "take_turn", lambda: None)
        both = Barrier(2)
        monkeypatch.setattr(locking, "checkpoint", lambda name: both.wait() if name == "after lock" else None)
    one = threads.start(lambda: imported(rows))
    other = threads.start(lambda: imported(rows[::-1]))
    errors = [error for error in (one.exception(), other.exception()) if error]
    if in_turn:
        assert not errors
        assert one.result().added + other.result().added == len(rows)
        assert one.result().repeated + other.result().repeated == len(rows)
    else:
        assert [type(error) for error in errors] == [OperationalError]
    assert CallRecord.objects.count() == len(rows)


@pytest.fixture(params=["again", "once", "control"])
def looks(request: Any, monkeypatch: pytest.MonkeyPatch) -> str:
    """How often an import looks at assignments and time zones; the control doesn't ask whether they changed."""
    if request.param == "once":
        monkeypatch.setattr(merging, "ATTEMPTS", 1)
    if request.param == "control":
        monkeypatch.setattr(Staged, "is_up_to_date", lambda _: True)
    return str(request.param)


def test_a_number_that_goes_to_another_account_before_the_lock_is_looked_at_again(
    answered: PhoneNumber,
    account: Account,
    owner: User,
    make_account: Callable[..., Account],
    threads: Threads,
    monkeypatch: pytest.MonkeyPatch,
    looks: str,
) -> None:
    """The new account is not locked yet, so the call is not matched to it until it is. The control finds no account."""
    other = make_account("100002")
    unassign_number(account, answered, by=owner, now=datetime(2026, 3, 10, tzinfo=UTC))
    period = DateTimeTZRange(datetime(2026, 3, 15, tzinfo=UTC), None)

    def go_over() -> None:
        PhoneNumber.objects.update(account=other)
        NumberAssignment.objects.create(account=other, number=answered, period=period, assigned_by=owner)

    left = [go_over]

    def checkpoint(name: str) -> None:
        if name == "after lock" and left:
            threads.start(left.pop()).result()

    monkeypatch.setattr(locking, "checkpoint", checkpoint)
    if looks == "once":
        with pytest.raises(locking.Moved):
            imported([row("c1")])
        assert not CallRecord.objects.exists()
    else:
        assert imported([row("c1")]).unmatched == (looks == "control")
        assert CallRecord.objects.get().account == (None if looks == "control" else other)


def test_a_time_zone_that_is_corrected_before_the_lock_decides_the_day(
    answered: PhoneNumber,
    account: Account,
    root: User,
    threads: Threads,
    monkeypatch: pytest.MonkeyPatch,
    looks: str,
) -> None:
    """At noon in New York it is the next day on Kiritimati. The control is refused by the guard on days."""
    lock, left = merging.lock_accounts, [lambda: correct_timezone(account, timezone=FAR, reason="Moved", by=root)]

    def lock_late(accounts: str) -> None:
        if left:
            threads.start(left.pop()).result()
        lock(accounts)

    monkeypatch.setattr(merging, "lock_accounts", lock_late)
    if looks == "once":
        with pytest.raises(locking.Moved):
            imported([row("c1")])
        assert not CallRecord.objects.exists()
    elif looks == "control":
        with pytest.raises(IntegrityError, match="on billing_callrecord is refused"):
            imported([row("c1")])
        assert not CallRecord.objects.exists()
    else:
        assert imported([row("c1")]).added == 1
        assert CallRecord.objects.get().day == date(2026, 3, 21)
