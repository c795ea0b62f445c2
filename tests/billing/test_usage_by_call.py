"""Usage opens to its calls by day and number, so that customers can check the minutes (R18)."""

import csv
import io
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import Account, PhoneNumber, User
from billing.actions import void_record
from billing.models import CallRecord
from tests.billing.bills import called
from tests.billing.call_rows import imported, row

USAGE = "/accounts/100001/billing/usage/"


@pytest.fixture
def customer(answered: PhoneNumber, owner: User) -> Client:
    client = Client()
    client.force_login(owner)
    return client


def text(answer: Any) -> str:
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


def test_a_day_opens_to_its_numbers_and_calls(customer: Client) -> None:
    imported([
        row("c1", seconds=61, at="2026-03-20T15:00:00-04:00"),
        row("c2", seconds=5, at="2026-03-20T09:30:00-04:00"),
        row("c3", seconds=60, at="2026-03-21T00:00:00-04:00"),
    ])  # fmt: skip
    month = text(customer.get(USAGE, {"month": "2026-03"}))
    assert f'href="{USAGE}2026-03-20/"' in month
    assert f'href="{USAGE}2026-03-19/"' not in month  # there were no calls
    day = text(customer.get(f"{USAGE}2026-03-20/"))
    assert "Toll-free minutes on March 20, 2026" in day
    assert day.index("March 20, 2026, 09:30") < day.index("March 20, 2026, 15:00")
    assert "+18005550100" in day
    assert "<strong>3</strong>" in day  # 2 and 1 minutes
    assert "March 21" not in day


def test_the_calls_of_a_month_add_up_to_its_minutes(customer: Client) -> None:
    called(*(f"call{number}" for number in range(5)), minutes=7)
    answer = customer.get(f"{USAGE}calls/csv/", {"month": "2026-03"})
    assert answer["Content-Disposition"] == 'attachment; filename="calls-100001-2026-03.csv"'
    header, *rows = csv.reader(io.StringIO(b"".join(answer.streaming_content).decode()))  # type: ignore[attr-defined]
    assert header == ["day", "started_at", "number", "caller", "seconds", "minutes"]
    assert len(rows) == 5
    assert sum(int(cells[5]) for cells in rows) == 35
    assert {(cells[0], cells[2], cells[4]) for cells in rows} == {("2026-03-20", "+18005550100", "420")}
    assert all(cells[1].endswith("-04:00") for cells in rows)


def test_what_does_not_count_on_a_bill_is_not_shown(customer: Client, biller: User) -> None:
    called("right", "wrong", minutes=3)
    void_record(CallRecord.objects.get(call_id="wrong"), by=biller, reason="Wrong")
    assert "<strong>3</strong>" in text(customer.get(f"{USAGE}2026-03-20/"))


def test_a_day_with_many_calls_has_pages(customer: Client) -> None:
    called(*(f"call{number}" for number in range(101)), minutes=1)
    with CaptureQueriesContext(connection) as queries:
        first = text(customer.get(f"{USAGE}2026-03-20/"))
    assert first.count('<td class="number" data-label="Seconds">') == 100
    assert "Page 1 of 2" in first
    assert len(queries) <= 10
    assert "Page 2 of 2" in text(customer.get(f"{USAGE}2026-03-20/", {"page": "2"}))


@pytest.mark.parametrize("day", ["2026-02-30", "2026-13-01", "0000-01-01", "yesterday", "20260320", "2026-03-20T00"])
def test_a_day_that_is_none_is_not_found(customer: Client, day: str) -> None:
    assert customer.get(f"{USAGE}{day}/").status_code == 404


def test_a_day_without_calls_says_so(customer: Client) -> None:
    assert "has been received for this day" in text(customer.get(f"{USAGE}2026-03-20/"))


def test_somebody_elses_calls_are_not_shown(
    customer: Client, make_account: Callable[..., Account], make_user: Callable[..., User]
) -> None:
    called("mine", minutes=3)
    stranger = make_user("stranger@example.com")
    make_account("100900", owner=stranger)
    client = Client()
    client.force_login(stranger)
    for page in ("2026-03-20/", "calls/csv/"):
        assert client.get(USAGE + page).status_code == 404
        other = client.get(f"/accounts/100900/billing/usage/{page}", {"month": "2026-03"})
        assert other.status_code == 200
        shown = b"".join(other.streaming_content) if other.streaming else other.content  # type: ignore[attr-defined]
        assert b"5550100" not in shown
