"""The bill run that nobody starts: off by default, once a month has ended everywhere, until all is billed."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connections

from billing.actions import run_bills, run_bills_by_itself
from billing.actions.run_bills import ONE_RUN
from billing.models import BilledMonth, BillRun, FailedBill, Invoice
from subscriptions.models import Price
from tests.billing.bills import APRIL, MARCH, Customers, numbers
from tests.guarding import sql

# March has ended in the last time zone at noon of April 1, UTC.
ENDED = datetime(2026, 4, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def switched_on(settings: Any) -> None:
    settings.BILL_RUN_BY_ITSELF = True


def test_it_is_off_by_default(customers: Customers, settings: Any) -> None:
    settings.BILL_RUN_BY_ITSELF = False
    customers(1)
    assert run_bills_by_itself(now=ENDED) is None
    assert not BillRun.objects.exists()


def test_a_month_is_billed_once_it_has_ended_everywhere_and_once_only(customers: Customers) -> None:
    customers(2)
    assert run_bills_by_itself(now=ENDED - timedelta(seconds=1)) is None
    done = run_bills_by_itself(now=ENDED)
    assert (done.month, done.invoices) == (MARCH, 2)
    for hours in (1, 24, 24 * 20):
        assert run_bills_by_itself(now=ENDED + hours * HOUR) is None
    assert (numbers(), BillRun.objects.filter(month=MARCH).count()) == ([1, 2], 1)


def test_a_tick_that_was_missed_is_made_up_for_on_any_day(customers: Customers) -> None:
    customers(1)
    assert run_bills_by_itself(now=datetime(2026, 4, 29, 3, tzinfo=UTC)).month == MARCH
    assert run_bills_by_itself(now=datetime(2026, 5, 31, 3, tzinfo=UTC)).month == APRIL


def test_what_a_stopped_run_left_is_done_by_the_next(customers: Customers) -> None:
    accounts = customers(3)
    run_bills(MARCH, accounts=[accounts[0].pk], now=ENDED)
    BillRun.objects.create(month=MARCH, started_at=ENDED)
    assert run_bills_by_itself(now=ENDED + HOUR).invoices == 2
    assert numbers() == [1, 2, 3]


def test_who_could_not_be_billed_is_tried_again_a_day_later(customers: Customers) -> None:
    customers(2)
    sql("SET LOCAL session_replication_role = replica")  # prices are kept by guards: take them away past those
    Price.objects.filter(item__sku__startswith="cc-pro").delete()
    sql("SET LOCAL session_replication_role = origin")
    first = run_bills_by_itself(now=ENDED)
    assert len(first.failed) == 2
    for hours in (1, 5, 19):
        assert run_bills_by_itself(now=ENDED + hours * HOUR) is None
    assert len(run_bills_by_itself(now=ENDED + 24 * HOUR).failed) == 2
    assert (FailedBill.objects.count(), BilledMonth.objects.filter(month=MARCH).count()) == (4, 0)


def test_while_somebody_bills_by_hand_it_waits(customers: Customers) -> None:
    customers(1)
    database = sql("SELECT current_database()")[0][0]
    other = connections.create_connection("default")
    other.settings_dict["NAME"] = database
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [ONE_RUN])
    try:
        assert run_bills_by_itself(now=ENDED) is None
    finally:
        other.close()
    assert not Invoice.objects.exists()
