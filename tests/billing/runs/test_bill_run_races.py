"""Bill runs over the same accounts at once: each account is billed once; without the lock, they collide (I8, I9)."""

from threading import Barrier
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from billing.actions import run_bills
from billing.inputs import tariffs
from billing.models import BilledMonth, Invoice, InvoiceLine
from billing.runs import chunk
from billing.runs.chunk import Outcome, bill_chunk
from tests.billing.bills import IN_APRIL, MARCH, Customers, numbers
from tests.conftest import codes
from tests.racing import at_once

pytestmark = pytest.mark.django_db(transaction=True)
RACERS = 6


def chunk_of(keys: list[int]) -> Outcome:
    return bill_chunk(keys, month=MARCH, now=IN_APRIL, catalogue=tariffs())


def test_chunks_of_the_same_accounts_bill_each_once(customers: Customers) -> None:
    keys = sorted(account.pk for account in customers(4))
    outcomes = at_once(RACERS, lambda _: chunk_of(keys))
    assert sorted(outcome.accounts for outcome in outcomes) == [0] * (RACERS - 1) + [4]
    assert not any(outcome.failed for outcome in outcomes)
    assert (BilledMonth.objects.count(), Invoice.objects.count()) == (4, 4)
    assert numbers() == [1, 2, 3, 4]


def test_control_without_the_lock_they_meet_and_only_the_database_stops_them(
    customers: Customers, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = sorted(account.pk for account in customers(1))
    all_looked = Barrier(RACERS)

    def look(keys: Any, month: Any) -> Any:
        all_looked.wait(timeout=60)
        return keys

    monkeypatch.setattr(chunk, "_locked_and_unbilled", look)
    outcomes = at_once(RACERS, lambda _: chunk_of(keys))
    assert sorted(outcome.accounts for outcome in outcomes) == [0] * (RACERS - 1) + [1]
    assert sum(len(outcome.failed) for outcome in outcomes) == RACERS - 1
    assert Invoice.objects.count() == 1
    assert numbers() == [1]


def test_of_runs_at_once_one_runs_and_the_others_are_told(customers: Customers) -> None:
    customers(3)
    outcomes = at_once(RACERS, lambda _: run_bills(MARCH, now=IN_APRIL))
    told = [outcome for outcome in outcomes if isinstance(outcome, ValidationError)]
    assert all(codes(refusal) == {("__all__", "run_going_on")} for refusal in told)
    assert len(told) < RACERS
    assert sum(outcome.invoices for outcome in outcomes if not isinstance(outcome, ValidationError)) == 3
    assert (Invoice.objects.count(), InvoiceLine.objects.values("invoice").distinct().count()) == (3, 3)
    assert numbers() == [1, 2, 3]
