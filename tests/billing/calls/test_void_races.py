"""A void during a bill run, two voids at once, and one that is killed; each race has a control."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from functools import partial
from importlib import import_module
from threading import Event

import pytest
from django.db import transaction

from accounts.models import Account, PhoneNumber, User
from billing.actions import dismiss_record, dismiss_reject, take_record, void_import, void_record
from billing.calls import locking, voiding
from billing.models import CallRecord, CallVoid, InvoiceLine, LateMonth, RejectedCall, SetAsideCall
from billing.runs import chunk
from core.refusals import AlreadyDone
from subscriptions.actions import assign_number, install
from tests.billing.call_rows import imported, row
from tests.billing.calls.test_import_races import WITHOUT_LOCK, bill
from tests.conftest import INSTALLED
from tests.racing import LONGEST_WAIT, Threads, at_once, overlap, until_done_or_waiting

pytestmark = pytest.mark.django_db(transaction=True)
MARCH = date(2026, 3, 1)


@pytest.mark.parametrize("locked", [True, False])
def test_a_void_while_its_month_is_billed_is_not_lost(
    answered: PhoneNumber, account: Account, biller: User, monkeypatch: pytest.MonkeyPatch, locked: bool
) -> None:
    """The run has read the calls and is about to commit. The control, without the lock, charges a voided call."""
    if not locked:
        monkeypatch.setattr(locking, "LOCK", WITHOUT_LOCK)
    imported([row("c1")])
    record = CallRecord.objects.get()
    void = partial(void_record, record, by=biller, reason="Wrong")
    for verb in overlap(monkeypatch, (chunk, "before commit"), lambda: bill(account), void):
        verb.result()
    assert InvoiceLine.objects.exists()
    assert CallRecord.objects.voided().exists()
    assert LateMonth.objects.filter(month=MARCH).exists() is locked


@pytest.mark.parametrize("in_turn", [True, False])
def test_a_record_is_taken_once(
    answered: PhoneNumber, biller: User, monkeypatch: pytest.MonkeyPatch, in_turn: bool
) -> None:
    """The control, which takes neither lock, is stopped by the unique index of identities."""
    imported([row("c1")])
    imported([row("c1", seconds=90)])
    kept = SetAsideCall.objects.get()
    if not in_turn:
        monkeypatch.setattr(import_module("billing.actions.take_record"), "take_turn", lambda: None)
        monkeypatch.setattr(voiding, "take_turn", lambda: None)
    outcomes = at_once(4, lambda _: take_record(kept, by=biller, reason="Right"))
    assert len([each for each in outcomes if isinstance(each, CallRecord)]) == 1
    assert len([each for each in outcomes if isinstance(each, AlreadyDone)]) == 3 or not in_turn
    assert (CallRecord.objects.in_effect().get().seconds, CallVoid.objects.count()) == (90, 1)


def test_a_void_of_an_import_that_is_killed_goes_on_when_it_is_run_again(
    answered: PhoneNumber, biller: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process is killed after the second of its chunks was committed."""
    monkeypatch.setattr(voiding, "CHUNK", 10)
    received = imported([row(f"c{number}") for number in range(35)])
    done: list[str] = []

    def checkpoint(name: str) -> None:
        done.append(name)
        if done.count("after commit") == 2:
            raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(locking, "checkpoint", checkpoint)
        with pytest.raises(KeyboardInterrupt):
            void_import(received, by=biller, reason="Wrong")
    assert CallVoid.objects.count() == 20
    assert void_import(received, by=biller, reason="Wrong").records == 15
    assert CallRecord.objects.voided().count() == CallVoid.objects.count() == 35


def test_a_take_locks_all_its_accounts_in_the_order_of_keys(
    answered: PhoneNumber, account: Account, make_account: Callable[..., Account], owner: User, biller: User
) -> None:
    """Those of the stored record and of the taken one: otherwise a bill run of both could deadlock with it."""
    other = make_account("100002", owner=owner)
    Account.objects.filter(pk=other.pk).update(created_at=datetime(2026, 1, 1, tzinfo=UTC))
    install(other, edition="cc-pro", by=owner, now=INSTALLED)
    number = PhoneNumber.objects.create(account=other, number="+18005550102")
    assign_number(other, number, by=owner, now=INSTALLED)
    imported([row("c1", to="+18005550102")])
    imported([row("c1")])
    kept = SetAsideCall.objects.get()
    assert account.pk < other.pk
    threads, held, go_on = Threads(), Event(), Event()

    def hold() -> None:
        with transaction.atomic():
            Account.objects.select_for_update().get(pk=account.pk)
            held.set()
            assert go_on.wait(LONGEST_WAIT)

    holding = threads.start(hold)
    assert held.wait(LONGEST_WAIT)
    taking = threads.start(lambda: take_record(kept, by=biller, reason="Right"))
    try:
        until_done_or_waiting(taking)
        with transaction.atomic():
            Account.objects.select_for_update(nowait=True).get(pk=other.pk)
    finally:
        go_on.set()
    holding.result()
    taking.result()
    assert CallRecord.objects.in_effect().get().account == account


def test_what_an_import_is_taking_is_not_dismissed_meanwhile(
    answered: PhoneNumber, biller: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    imported([row("c1"), row("c1", seconds=90), row("c2", seconds="x")])
    kept, reject = SetAsideCall.objects.get(seconds=90), RejectedCall.objects.get()
    importing, *dismissing = overlap(
        monkeypatch,
        (locking, "after lock"),
        lambda: imported([row("c1", seconds=90), row("c2")]),
        lambda: dismiss_record(kept, by=biller, reason="Wrong"),
        lambda: dismiss_reject(reject, by=biller, reason="Wrong"),
    )
    assert importing.result().added == 2
    for each in dismissing:
        with pytest.raises(AlreadyDone):
            each.result()
