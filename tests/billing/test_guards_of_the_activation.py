"""The database's guard against product lines for a day before the activation (I6)."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from accounts.models import Account, User
from billing.models import Invoice, InvoiceLine
from billing.runs import chunk
from onboarding.actions import activate
from onboarding.models import Onboarding
from tests.billing.bills import IN_APRIL, MARCH, SEAT, bill, buy
from tests.billing.test_guards_of_bills import invoice_of, line_of, next_key
from tests.guarding import INSERTS, UPDATES, named, refused_by, settle, sql

EXERCISED = {"nothing_is_charged_before_activation"}
GUARD = "nothing_is_charged_before_activation"
Insert = Callable[[Any], None]
THE_16TH = date(2026, 3, 16)


def issue(way: Insert, account: Account, **line: Any) -> None:
    """Write an invoice for March with one line, the line first."""
    days = {"month": MARCH, "first": THE_16TH, "last": date(2026, 3, 31), **line}
    InvoiceLine.objects.bulk_create([line_of(next_key(), **days)])
    way(invoice_of(account, number=1, month=MARCH, issued_at=IN_APRIL))


@pytest.mark.parametrize("way", INSERTS, ids=named)
def test_an_account_that_was_never_activated_is_charged_for_no_product(installed: Account, way: Insert) -> None:
    with refused_by(GUARD):
        issue(way, installed)


@pytest.mark.parametrize("way", INSERTS, ids=named)
def test_an_account_without_contact_center_is_charged_for_no_product(account: Account, way: Insert) -> None:
    with refused_by(GUARD):
        issue(way, account)


@pytest.mark.parametrize("way", INSERTS, ids=named)
@pytest.mark.parametrize("kind", ["usage", "adjustment"])
@pytest.mark.parametrize("sku", ["cc-pro", "channel-voice", "storage-5", "no-item"])
def test_a_product_is_one_whatever_its_line_says(charged: Account, way: Insert, kind: str, sku: str) -> None:
    with refused_by(GUARD):
        issue(way, charged, first=THE_16TH - timedelta(days=1), kind=kind, sku=sku)


@pytest.mark.parametrize("kind", ["usage", "adjustment"])
def test_toll_free_minutes_of_onboarding_are_charged(charged: Account, kind: str) -> None:
    issue(INSERTS[0], charged, first=MARCH, kind=kind, sku="tf-payperuse")
    settle()


@pytest.mark.parametrize("way", INSERTS, ids=named)
@pytest.mark.parametrize(
    "days",
    [
        {"first": THE_16TH - timedelta(days=1)},
        {"first": THE_16TH - timedelta(days=1), "last": THE_16TH - timedelta(days=1)},
        {"first": MARCH},
        {"first": date(2026, 2, 1), "last": date(2026, 2, 28), "month": date(2026, 2, 1)},
    ],
    ids=["straddles the activation", "the day before", "the whole month", "the month before"],
)
def test_no_day_before_the_activation_is_charged(charged: Account, way: Insert, days: dict[str, date]) -> None:
    with refused_by(GUARD):
        issue(way, charged, **days)


@pytest.mark.parametrize("way", INSERTS, ids=named)
def test_the_day_of_the_activation_is_charged(charged: Account, way: Insert) -> None:
    issue(way, charged)
    assert Invoice.objects.get().lines.get().first == THE_16TH


@pytest.mark.parametrize(
    ("zone", "first_charged"),
    [("Pacific/Kiritimati", date(2026, 3, 17)), ("UTC", THE_16TH), ("Pacific/Niue", date(2026, 3, 15))],
)
def test_the_day_is_that_of_the_account(
    make_account: Callable[..., Account], member: User, zone: str, first_charged: date
) -> None:
    """At 10:30 UTC it is already the 17th in Kiritimati, and still the 15th in Niue."""
    account = make_account("100003", timezone=zone)
    Onboarding.objects.create(account=account, started_at=datetime(2026, 3, 1, tzinfo=UTC))
    activate(account, by=member, reason="Ready", now=datetime(2026, 3, 16, 10, 30, tzinfo=UTC))
    with refused_by(GUARD):
        issue(INSERTS[0], account, first=first_charged - timedelta(days=1))
    issue(INSERTS[0], account, first=first_charged)
    assert Invoice.objects.exists()


def test_usage_is_charged_in_onboarding(installed: Account) -> None:
    issue(INSERTS[0], installed, kind="usage", first=MARCH, sku="tf-payperuse")
    assert Invoice.objects.exists()


def test_one_line_among_many_invoices_of_a_statement_is_found(charged: Account) -> None:
    """The early line is in the second of two invoices, next to a correct line."""
    key = next_key()
    rows = [
        line_of(key + place, first=THE_16TH - timedelta(days=early), month=MARCH, line_count=2)
        for place, early in enumerate((0, 1))
    ]
    rows += [line_of(key + place, kind="usage", position=2, line_count=2) for place in (0, 1)]
    with refused_by(GUARD):
        InvoiceLine.objects.bulk_create(rows)
        Invoice.objects.bulk_create(
            invoice_of(charged, id=key + place, number=1 + place, month=month, total=2 * SEAT, line_count=2)
            for place, month in enumerate((MARCH, date(2026, 4, 1)))
        )


@pytest.mark.parametrize("way", UPDATES, ids=named)
def test_an_activation_is_not_moved_back_to_bill_more(charged: Account, way: Callable[..., None]) -> None:
    with refused_by("onboarding_activation_is_final", "onboarding_is_born_in_onboarding"):
        way(charged.onboarding, activated_at=datetime(2026, 3, 6, tzinfo=UTC))
    sql("UPDATE accounts_account SET timezone = 'Pacific/Niue'")  # a correction doesn't move days that were decided
    with refused_by(GUARD):
        issue(INSERTS[0], charged, first=THE_16TH - timedelta(days=1))


def test_a_run_that_charges_too_early_is_stopped_and_says_why(
    installed: Account, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The bug: every account counts as active since March 1. The account is set aside with the guard's sentence."""
    inputs_of = chunk.inputs_of

    def from_the_first(*args: Any) -> Any:
        return {key: replace(facts, activated_on=MARCH) for key, facts in inputs_of(*args).items()}

    monkeypatch.setattr(chunk, "inputs_of", from_the_first)
    buy(installed, owner, seats=1)
    summary = bill()
    assert summary.failed == {
        installed.pk: "Products are charged from the day of activation, never for a day before it."
    }
    assert not Invoice.objects.exists()
    assert not InvoiceLine.objects.exists()
