"""The automatic bill run: off by default; it bills every month that has ended and was not billed, in order (R42)."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.db import connections

from accounts.models import Account, User
from billing.actions import run_bills, run_bills_automatically
from billing.inputs import tariffs
from billing.models import BilledMonth, BillRun, FailedBill, Invoice
from billing.runs.chunk import bill_chunk
from billing.runs.run import RunSummary
from billing.tasks import bill_run
from core.locks import AdvisoryLock
from subscriptions.models import Price
from tests.billing.bills import APRIL, IN_JUNE, MARCH, MAY, Customers, customer, nowhere, numbers
from tests.guarding import nothing_written, sql

# March ended a day ago in New York, the time zone of most accounts.
ENDED = datetime(2026, 4, 2, 4, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
REASON = "The account's time zone 'Mars/Olympus' is not known; an administrator can correct it."


@pytest.fixture(autouse=True)
def switched_on(settings: Any) -> None:
    settings.BILL_RUN_BY_ITSELF = True


def automatic(now: datetime) -> list[tuple[date, int, int]]:
    """Run it, and return the month and the numbers of invoices and failures of each run, in order."""
    return [(done.month, done.invoices, len(done.failed)) for done in run_bills_automatically(now=now)]


def test_it_is_off_by_default(customers: Customers, settings: Any) -> None:
    settings.BILL_RUN_BY_ITSELF = False
    customers(1)
    with nothing_written():
        assert automatic(ENDED) == []


def test_a_month_is_billed_a_day_after_it_ended_and_once_only(customers: Customers) -> None:
    customers(2)
    with nothing_written():
        assert automatic(ENDED - timedelta(seconds=1)) == []
    assert automatic(ENDED) == [(MARCH, 2, 0)]
    for hours in (1, 24, 24 * 20):
        with nothing_written():
            assert automatic(ENDED + hours * HOUR) == []
    assert (numbers(), BillRun.objects.count()) == ([1, 2], 1)


@pytest.mark.parametrize("days", [0, 1, 3])
def test_the_days_are_counted_where_the_account_is(
    catalogue: None, make_account: Callable[..., Account], owner: User, member: User, settings: Any, days: int
) -> None:
    settings.BILL_RUN_AFTER_DAYS = days
    ends = {
        "Pacific/Kiritimati": datetime(2026, 3, 31, 10, tzinfo=UTC),
        "America/New_York": datetime(2026, 4, 1, 4, tzinfo=UTC),
        "Pacific/Niue": datetime(2026, 4, 1, 11, tzinfo=UTC),
    }
    for place, zone in enumerate(ends):
        customer(make_account(f"30000{place}", owner=owner, timezone=zone), by=owner, team=member)
    for billed, end in enumerate(ends.values()):
        assert automatic(end + days * DAY - timedelta(seconds=1)) == []
        assert BilledMonth.objects.count() == billed
        assert automatic(end + days * DAY) == [(MARCH, 1, 0)]


def test_an_outage_leaves_no_month_unbilled(customers: Customers) -> None:
    first, second = customers(2)
    run_bills(APRIL, accounts=[first.pk], now=datetime(2026, 5, 2, 12, tzinfo=UTC))
    assert automatic(IN_JUNE) == [(MARCH, 2, 0), (APRIL, 1, 0), (MAY, 2, 0)]
    billed = BilledMonth.objects.order_by("month", "account").values_list("month", "account")
    assert list(billed) == [(month, key.pk) for month in (MARCH, APRIL, MAY) for key in (first, second)]
    with nothing_written():
        assert automatic(IN_JUNE + HOUR) == []


def test_whoever_installs_on_the_first_causes_no_run_of_the_month_before(
    customers: Customers, make_account: Callable[..., Account], owner: User
) -> None:
    """In New York, one was installed in the first minute of April, the other in the last minute of March."""
    customers(1)
    for number, at in (("300001", datetime(2026, 4, 1, 4, 0)), ("300002", datetime(2026, 4, 1, 3, 59))):  # noqa: DTZ001
        customer(make_account(number, owner=owner), by=owner, team=None, seats=0, installed=at.replace(tzinfo=UTC))
    assert automatic(ENDED) == [(MARCH, 1, 0)]
    assert set(BilledMonth.objects.values_list("account__number", flat=True)) == {"200001", "300002"}
    for hours in range(1, 48, 7):
        with nothing_written():
            assert automatic(ENDED + hours * HOUR) == []


def test_what_a_stopped_run_left_is_done_by_the_next(customers: Customers) -> None:
    accounts = customers(3)
    run_bills(MARCH, accounts=[accounts[0].pk], now=ENDED)
    BillRun.objects.create(month=MARCH, started_at=ENDED)
    assert automatic(ENDED + HOUR) == [(MARCH, 2, 0)]
    assert numbers() == [1, 2, 3]


def without_prices() -> None:
    sql("SET LOCAL session_replication_role = replica")  # guards keep prices from being deleted
    Price.objects.filter(item__sku__startswith="cc-pro").delete()
    sql("SET LOCAL session_replication_role = origin")


@pytest.mark.owner
def test_who_could_not_be_billed_is_tried_again_a_day_later(customers: Customers) -> None:
    customers(2)
    without_prices()
    assert automatic(ENDED) == [(MARCH, 0, 2)]
    for hours in (1, 5, 19):
        with nothing_written():
            assert automatic(ENDED + hours * HOUR) == []
    assert automatic(ENDED + 24 * HOUR) == [(MARCH, 0, 2)]
    assert (FailedBill.objects.count(), BilledMonth.objects.filter(month=MARCH).count()) == (4, 0)


@pytest.mark.owner
def test_others_and_other_months_do_not_wait_for_who_could_not_be_billed(
    customers: Customers, make_account: Callable[..., Account], owner: User
) -> None:
    customers(1)
    western = make_account("300001", owner=owner, timezone="Pacific/Niue")
    customer(western, by=owner, team=None, seats=0)
    without_prices()
    assert automatic(ENDED) == [(MARCH, 0, 1)]
    assert automatic(ENDED + 7 * HOUR) == [(MARCH, 0, 0)]
    assert set(BilledMonth.objects.values_list("account", flat=True)) == {western.pk}
    assert automatic(ENDED + 30 * DAY) == [(MARCH, 0, 1), (APRIL, 0, 1)]


def test_an_account_in_a_zone_nobody_knows_is_set_aside_and_billed_once_it_is_corrected(customers: Customers) -> None:
    first, lost, last = customers(3)
    nowhere(lost)
    assert automatic(ENDED) == [(MARCH, 2, 0)]
    everywhere = datetime(2026, 4, 2, 12, tzinfo=UTC)  # a day after March ended in the last time zone
    assert automatic(everywhere) == [(MARCH, 0, 1)]
    assert FailedBill.objects.values_list("account", "reason").get() == (lost.pk, REASON)
    assert automatic(everywhere + 19 * HOUR) == []
    assert automatic(everywhere + 24 * HOUR) == [(MARCH, 0, 1)]
    nowhere(lost, "America/New_York")
    assert automatic(everywhere + 48 * HOUR) == [(MARCH, 1, 0)]
    assert set(BilledMonth.objects.values_list("account", flat=True)) == {first.pk, lost.pk, last.pk}


@pytest.mark.parametrize("zone", ["", "localtime2", "../etc/passwd", "America", "x" * 64, "EST5EDT;", "\u00e9"])
def test_whatever_the_zone_says_the_others_are_billed(customers: Customers, zone: str) -> None:
    lost, _ = customers(2)
    nowhere(lost, zone)
    summary = run_bills(MARCH, now=ENDED + DAY)
    assert (summary.accounts, list(summary.failed)) == (1, [lost.pk])
    assert summary.failed[lost.pk] == f"The account's time zone {zone!r} is not known; an administrator can correct it."


def test_a_zone_that_the_database_alone_knows_stops_nobody_in_its_chunk(customers: Customers) -> None:
    lost, other = customers(2)
    nowhere(lost, "PST")
    outcome = bill_chunk([lost.pk, other.pk], month=MARCH, now=ENDED, catalogue=tariffs())
    assert (outcome.accounts, outcome.failed) == (1, {lost.pk: REASON.replace("Mars/Olympus", "PST")})


def test_while_somebody_bills_by_hand_it_waits(customers: Customers) -> None:
    customers(1)
    database = sql("SELECT current_database()")[0][0]
    other = connections.create_connection("default")
    other.settings_dict["NAME"] = database
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [AdvisoryLock.BILL_RUN])
    try:
        with nothing_written():
            assert automatic(ENDED) == []
    finally:
        other.close()
    assert not Invoice.objects.exists()


def test_the_job_tells_what_it_did_month_by_month(customers: Customers, monkeypatch: pytest.MonkeyPatch) -> None:
    customers(2)

    def then(now: datetime) -> list[RunSummary]:
        return run_bills_automatically(now=datetime(2026, 5, 3, tzinfo=UTC))

    monkeypatch.setattr("billing.tasks.run_bills_automatically", then)
    assert bill_run() == "March 2026: 2 accounts, 2 invoices, 0 failed; April 2026: 2 accounts, 2 invoices, 0 failed"
    assert bill_run() == ""
