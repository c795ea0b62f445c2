"""A bill run that is killed at any point and run again bills exactly what is owed, and nothing twice (I8, I9)."""

from datetime import date
from time import monotonic
from typing import Any

import pytest
from django.db import transaction

from accounts.models import User
from billing.actions import run_bills
from billing.models import BilledMonth, BillRun, Counter, Invoice, InvoiceLine
from billing.runs import chunk as of_run
from tests.billing.bills import IN_APRIL, MARCH, Customers, bill, called, invoices, number_of, numbers
from tests.forking import KILLED, dies_at, in_a_fork
from tests.guarding import sql

pytestmark = pytest.mark.django_db(transaction=True)
ADVISORY_LOCKS = """
    SELECT count(*) FROM pg_locks l JOIN pg_database d ON d.oid = l.database
    WHERE l.locktype = 'advisory' AND d.datname = current_database()
"""


def run(point: str = "-", times: int = 0, chunk: int = 2) -> tuple[int, str]:
    """Bill March in a fork that is killed on call number `times` + 1 of the checkpoint `point`."""

    def until_killed() -> None:
        of_run.checkpoint = dies_at(point, times)
        run_bills(MARCH, now=IN_APRIL, chunk=chunk)

    return in_a_fork(until_killed)


def never_killed() -> dict[tuple[int, date], Any]:
    """Return what a run invoices if nobody kills it, and roll it back."""
    with transaction.atomic():
        bill()
        found = invoices()
        transaction.set_rollback(True)
    assert not Invoice.objects.exists()
    return found


@pytest.mark.parametrize(
    ("point", "times", "billed"),
    [
        ("after lock", 0, 0),
        ("after lines", 0, 0),
        ("before commit", 0, 0),
        ("after lock", 1, 2),
        ("after lines", 1, 2),
        ("before commit", 2, 4),
    ],
)
def test_killed_and_run_again_the_invoices_are_the_same(
    customers: Customers, owner: User, point: str, times: int, billed: int
) -> None:
    accounts = customers(5)
    number_of(accounts[0], "+18005550100", by=owner)
    called("c1", minutes=100)
    expected = never_killed()
    assert len(expected) == 5

    status, told = run(point, times)
    assert status == KILLED, told
    assert BilledMonth.objects.count() == Invoice.objects.count() == billed
    assert numbers() == list(range(1, billed + 1))
    assert BillRun.objects.get().finished_at is None

    assert run() == (0, "")
    assert invoices() == expected
    assert numbers() == [1, 2, 3, 4, 5]
    assert Counter.objects.get().invoices == 5
    assert InvoiceLine.objects.count() == sum(count for _, count, _ in expected.values())
    latest = BillRun.objects.latest("pk")
    assert (latest.accounts, latest.invoices, latest.finished_at is not None) == (5 - billed, 5 - billed, True)


def test_killed_as_often_as_it_is_run_it_gets_on_and_comes_to_an_end(customers: Customers) -> None:
    customers(4)
    expected = never_killed()
    for done in range(1, 4):
        assert run("after lock", 1, chunk=1)[0] == KILLED
        assert numbers() == list(range(1, done + 1))
    assert run() == (0, "")
    assert (invoices(), numbers()) == (expected, [1, 2, 3, 4])


def test_a_killed_run_keeps_no_lock(customers: Customers) -> None:
    customers(1)
    assert run("before commit")[0] == KILLED
    deadline = monotonic() + 30  # the server takes a moment to notice that its client is gone
    while sql(ADVISORY_LOCKS) != [(0,)]:
        assert monotonic() < deadline
    assert bill(MARCH).invoices == 1
