"""A void during a bill run, two voids at once, and one that is killed; each race has a control."""

from collections.abc import Callable
from contextlib import nullcontext
from datetime import UTC, date, datetime
from functools import partial
from importlib import import_module
from threading import Event

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, OperationalError, transaction

from accounts.models import Account, PhoneNumber, User
from billing.actions import dismiss_record, dismiss_reject, take_record, void_import, void_record
from billing.calls import locking, merging, voiding
from billing.calls.fates import settle
from billing.models import CallRecord, CallVoid, InvoiceLine, LateMonth, RejectedCall, SetAsideCall
from billing.runs import chunk
from core.refusals import AlreadyDone
from subscriptions.actions import assign_number, install
from tests.billing.call_rows import imported, row
from tests.billing.calls.test_import_races import WITHOUT_LOCK, bill
from tests.conftest import INSTALLED
from tests.racing import LONGEST_WAIT, Threads, at_once, one_after_the_other, overlap, until_done_or_waiting

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


@pytest.mark.parametrize("in_order", [True, False])
def test_a_take_locks_all_its_accounts_in_the_order_of_keys(
    answered: PhoneNumber,
    account: Account,
    make_account: Callable[..., Account],
    owner: User,
    biller: User,
    monkeypatch: pytest.MonkeyPatch,
    in_order: bool,
) -> None:
    """Those of the stored record and of the taken one: otherwise a bill run of both could deadlock with it.

    The control locks none before it voids, so the later account first.
    """
    if not in_order:
        monkeypatch.setattr(import_module("billing.actions.take_record"), "lock_accounts", lambda _: 0)
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
        with nullcontext() if in_order else pytest.raises(OperationalError), transaction.atomic():
            Account.objects.select_for_update(nowait=True).get(pk=other.pk)
    finally:
        go_on.set()
    holding.result()
    taking.result()
    assert CallRecord.objects.in_effect().get().account == account


@pytest.mark.parametrize("in_turn", [True, False])
def test_what_an_import_is_taking_is_not_dismissed_meanwhile(
    answered: PhoneNumber, biller: User, monkeypatch: pytest.MonkeyPatch, in_turn: bool
) -> None:
    """The import has added the calls. In the control, both are then dismissed and charged."""
    if not in_turn:
        for module in ("dismiss_record", "dismiss_reject"):
            monkeypatch.setattr(import_module(f"billing.actions.{module}"), "take_turn", lambda: None)

    def settle_late(values: dict[str, object]) -> None:
        locking.checkpoint("before it settles")
        settle(values)

    monkeypatch.setattr(merging, "settle", settle_late)
    imported([row("c1"), row("c1", seconds=90), row("c2", seconds="x")])
    kept, reject = SetAsideCall.objects.get(seconds=90), RejectedCall.objects.get()
    importing, *dismissing = overlap(
        monkeypatch,
        (locking, "before it settles"),
        lambda: imported([row("c1", seconds=90), row("c2")]),
        lambda: dismiss_record(kept, by=biller, reason="Wrong"),
        lambda: dismiss_reject(reject, by=biller, reason="Wrong"),
    )
    assert importing.result().added == 2
    for each in dismissing:
        if in_turn:
            with pytest.raises(AlreadyDone):
                each.result()
        else:
            assert each.result().state == "dismissed"


@pytest.mark.parametrize("in_turn", [True, False])
def test_a_call_that_is_imported_while_its_record_is_voided_is_added(
    answered: PhoneNumber, biller: User, monkeypatch: pytest.MonkeyPatch, in_turn: bool
) -> None:
    """The file brings the right length. The control sets it aside beside a record that no longer counts."""
    if not in_turn:
        monkeypatch.setattr(merging, "take_turn", lambda: None)
    imported([row("c1")])
    void = partial(void_record, CallRecord.objects.get(), by=biller, reason="Wrong")
    received, waited = one_after_the_other(void, lambda: imported([row("c1", seconds=90)]))
    assert waited is in_turn
    assert (received.added, received.set_aside) == ((1, 0) if in_turn else (0, 1))
    assert list(CallRecord.objects.in_effect().values_list("seconds", flat=True)) == ([90] if in_turn else [])


@pytest.mark.parametrize("in_turn", [True, False])
def test_two_who_void_a_record_void_it_once(
    answered: PhoneNumber, biller: User, monkeypatch: pytest.MonkeyPatch, in_turn: bool
) -> None:
    """The control is stopped by the unique key of voids."""
    if not in_turn:
        monkeypatch.setattr(voiding, "take_turn", lambda: None)
    imported([row("c1")])
    void = partial(void_record, CallRecord.objects.get(), by=biller, reason="Wrong")
    outcome, waited = one_after_the_other(void, void)
    assert waited
    assert isinstance(outcome, AlreadyDone) is in_turn, outcome
    assert isinstance(outcome, AlreadyDone | ValidationError | IntegrityError)
    assert CallVoid.objects.count() == 1
