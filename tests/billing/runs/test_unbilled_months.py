"""Unbilled months are counted by a job, and shown on the dashboard, in metrics and by the system check (R42)."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.core.checks import run_checks
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import Account, PhoneNumber, User
from billing.actions import reject_bill
from billing.checks import check_months
from billing.models import BilledMonth, UnbilledMonth
from billing.months import UnknownZone, month_end
from billing.runs.unbilled import count_unbilled, months_owed, unbilled, unbilled_months
from billing.tasks import count_unbilled as count_job
from core.clock import database_now
from onboarding.models import Onboarding
from tests.billing.bills import APRIL, IN_APRIL, IN_JUNE, MARCH, MAY, Customers, bill, customer, held_back, nowhere
from tests.guarding import sql

TOKEN = "a-token-that-only-prometheus-knows"
IN_MARCH = datetime(2026, 3, 20, tzinfo=UTC)


def counted(now: datetime = IN_JUNE, days_after: int = 1) -> dict[date, int]:
    return unbilled_months(now, days_after=days_after)


def shown() -> list[tuple[date, int]]:
    return list(UnbilledMonth.objects.values_list("month", "accounts"))


def test_each_month_is_counted_from_the_accounts_start_on(
    customers: Customers, make_account: Callable[..., Account], owner: User
) -> None:
    _, second = customers(2)
    later = make_account("300001", owner=owner)
    customer(later, by=owner, team=None, seats=0, installed=datetime(2026, 5, 1, 4, tzinfo=UTC))
    assert counted() == {MARCH: 2, APRIL: 2, MAY: 3}
    bill(APRIL, IN_JUNE)
    assert counted() == {MARCH: 2, MAY: 3}
    bill(MARCH, IN_JUNE, accounts=[second.pk])
    assert counted() == {MARCH: 1, MAY: 3}
    assert counted(IN_APRIL) == {MARCH: 1}
    assert counted(IN_MARCH) == {}


def test_the_days_after_are_counted_where_the_account_is(customers: Customers) -> None:
    customers(1)
    ended = datetime(2026, 4, 1, 4, tzinfo=UTC)
    for days in (0, 1, 5):
        due = ended + timedelta(days=days)
        assert counted(due - timedelta(seconds=1), days) == {}
        assert counted(due, days) == {MARCH: 1}


def test_what_was_billed_before_the_start_makes_up_for_nothing(customers: Customers) -> None:
    """A billed month from before the install, as in another time zone, doesn't hide a missing month."""
    [account] = customers(1)
    BilledMonth.objects.create(account=account, month=date(2026, 2, 1), billed_at=IN_APRIL)
    assert counted(IN_APRIL) == {MARCH: 1}


def test_bills_that_wait_for_a_person_do_not_count(
    active: Account, answered: PhoneNumber, owner: User, biller: User, settings: Any
) -> None:
    held = held_back(active, owner, settings)
    assert counted() == {APRIL: 1, MAY: 1}
    reject_bill(active, held, note="Feed is wrong", by=biller)
    assert counted() == {APRIL: 1, MAY: 1}


def test_an_account_in_a_zone_nobody_knows_counts_once_the_month_has_ended_everywhere(customers: Customers) -> None:
    account, _ = customers(2)
    nowhere(account)
    everywhere = datetime(2026, 4, 2, 12, tzinfo=UTC)
    assert counted(everywhere - timedelta(seconds=1)) == {MARCH: 1}
    assert counted(everywhere) == {MARCH: 2}
    found = unbilled(MARCH, now=everywhere)
    assert (len(found.keys), list(found.set_aside)) == (1, [account.pk])


def test_it_takes_few_queries_however_many_accounts_zones_and_months(
    customers: Customers, django_assert_num_queries: Any
) -> None:
    customers(8)
    for place, zone in enumerate(["Asia/Tokyo", "Europe/Paris", "Mars/Olympus", "UTC"]):
        nowhere(Account.objects.order_by("pk")[place], zone)
    with django_assert_num_queries(3):
        assert len(unbilled_months(datetime(2028, 1, 5, tzinfo=UTC), days_after=1)) == 22


def test_without_an_account_nothing_is_missing(db: None) -> None:
    assert counted() == {}
    assert count_unbilled(IN_JUNE, days_after=1) == {}


def test_a_zone_nobody_knows_has_no_month_end() -> None:
    assert month_end(MARCH, "America/New_York") == datetime(2026, 4, 1, 4, tzinfo=UTC)
    for zone in ("Mars/Olympus", "", "/etc/localtime", "America"):
        with pytest.raises(UnknownZone, match="is not known; an administrator can correct it"):
            month_end(MARCH, zone)


def test_the_job_counts_and_a_run_counts_again(customers: Customers) -> None:
    first, _ = customers(2)
    told = count_job()
    assert told.startswith("March 2026: 2 accounts not billed, April 2026: 2 accounts not billed")
    bill(MARCH, IN_JUNE, accounts=[first.pk])
    bill(MAY, IN_JUNE)
    assert shown()[:2] == [(MARCH, 1), (APRIL, 2)]
    assert MAY not in dict(shown())
    for month in months_owed(database_now()):
        bill(month, None)
    assert shown() == []
    assert count_job() == ""


@pytest.mark.parametrize(("days", "told"), [(1, [(MARCH, 1)]), (5, [])])
def test_a_run_counts_a_month_when_its_days_have_passed(
    customers: Customers, settings: Any, days: int, told: list[Any]
) -> None:
    settings.BILL_RUN_AFTER_DAYS = days
    first, _ = customers(2)
    bill(accounts=[first.pk])
    assert shown() == told


def test_a_run_counts_no_bill_that_it_held(
    active: Account, answered: PhoneNumber, owner: User, biller: User, settings: Any
) -> None:
    held = held_back(active, owner, settings)
    assert shown() == []
    reject_bill(active, held, note="Feed is wrong", by=biller)
    bill(now=IN_APRIL)
    assert shown() == []


@pytest.mark.owner
def test_the_dashboard_shows_them_to_who_sees_billing(
    customers: Customers, biller: User, member: User, supporter: User, client: Client
) -> None:
    customers(3)
    client.force_login(biller)
    assert "None when they were last counted" in client.get("/admin/").content.decode()
    count_unbilled(IN_APRIL, days_after=1)
    for user in (biller, supporter):
        client.force_login(user)
        text = client.get("/admin/").content.decode()
        assert '<th scope="row">March 2026</th><td class="late">3 accounts</td>' in text
        assert "Counted April 2, 2026, 12:00" in text
    client.force_login(member)
    assert "Months not billed" not in client.get("/admin/").content.decode()


@pytest.mark.owner
def test_of_many_months_the_dashboard_shows_the_oldest(customers: Customers, biller: User, client: Client) -> None:
    customers(1)
    count_unbilled(datetime(2027, 7, 5, tzinfo=UTC), days_after=1)
    client.force_login(biller)
    text = client.get("/admin/").content.decode()
    assert "The oldest 12 of 16 months." in text
    assert '<td class="late">1 account</td>' in text
    assert text.count('<td class="late">') == 12


def test_the_metrics_have_them(customers: Customers, client: Client, settings: Any) -> None:
    settings.METRICS, settings.METRICS_TOKEN = True, TOKEN
    customers(2)
    count_unbilled(IN_JUNE, days_after=1)
    text = client.get("/metrics", headers={"authorization": f"Bearer {TOKEN}"}).content.decode()
    for line in (
        "hostpilot_unbilled_months 3.0",
        "hostpilot_unbilled_account_months 6.0",
        "hostpilot_rejected_bills 0.0",
    ):
        assert f"\n{line}\n" in text


def test_the_check_warns_and_fails_nothing(
    active: Account, answered: PhoneNumber, owner: User, biller: User, settings: Any
) -> None:
    assert check_months(databases=["default"]) == []
    reject_bill(active, held_back(active, owner, settings), note="Feed is wrong", by=biller)
    count_unbilled(IN_JUNE, days_after=1)
    found = [message for message in run_checks(databases=["default"]) if message.id.startswith("billing.W")]
    assert [(message.id, message.msg) for message in found] == [
        ("billing.W001", "April 2026 was not billed for 1 accounts, as counted at 2026-06-02 12:00 UTC."),
        ("billing.W001", "May 2026 was not billed for 1 accounts, as counted at 2026-06-02 12:00 UTC."),
        ("billing.W002", "1 bills were rejected and not billed since."),
    ]
    assert not any(message.is_serious() for message in found)
    call_command("check", databases=["default"])  # does not raise
    assert check_months() == []  # without databases, the check makes no query


@pytest.mark.owner
def test_before_the_migration_the_check_says_nothing(db: None) -> None:
    sql("ALTER TABLE billing_unbilledmonth RENAME TO not_there_yet")
    assert check_months(databases=["default"]) == []


def test_readiness_does_not_ask(customers: Customers, client: Client, settings: Any) -> None:
    settings.JOBS_LATE_MINUTES = 0
    customers(1)
    count_unbilled(IN_JUNE, days_after=1)
    with CaptureQueriesContext(connection) as queries:
        assert client.get("/readyz").status_code == 200
    assert not any("unbilled" in query["sql"] for query in queries)


def test_the_count_is_that_of_a_slow_look_at_each_account(
    customers: Customers, make_account: Callable[..., Account], owner: User
) -> None:
    """Plain Python checks each account and month, around the ends of months in several time zones."""
    customers(2)
    starts = [datetime(2026, 4, 1, hour, 0, tzinfo=UTC) for hour in (0, 3, 4, 11)]
    zones = ["Pacific/Kiritimati", "America/New_York", "Pacific/Niue", "Asia/Kolkata"]
    for number, (start, zone) in enumerate((start, zone) for start in starts for zone in zones):
        account = make_account(f"3000{number:02}", owner=owner, timezone=zone)
        customer(account, by=owner, team=None, seats=0, installed=start)
    for now in (datetime(2026, 4, 30, 10, tzinfo=UTC), datetime(2026, 5, 1, 8, tzinfo=UTC), IN_JUNE):
        expected: dict[date, int] = {}
        for month in (MARCH, APRIL, MAY):
            for row in Onboarding.objects.select_related("account"):
                end = month_end(month, row.account.timezone)
                if row.started_at < end <= now:
                    expected[month] = expected.get(month, 0) + 1
        assert counted(now, 0) == expected
        for month in (MARCH, APRIL, MAY):
            assert len(unbilled(month, now=now).keys) == expected.get(month, 0)
