"""Helpers that make accounts owe something, run bill runs over them, and return what was invoiced as plain values."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from accounts.models import Account, PhoneNumber, User
from billing.actions import run_bills
from billing.models import LINE_FIELDS, BillOnHold, Invoice
from billing.runs.run import RunSummary
from onboarding.actions import activate
from subscriptions.actions import assign_number, change_subscription, install
from subscriptions.catalogue import contact_center_of, held_by
from tests.billing.call_rows import imported, row
from tests.conftest import INSTALLED
from tests.guarding import sql
from tests.roles import as_owner

MARCH, APRIL, MAY = (date(2026, month, 1) for month in (3, 4, 5))
ACTIVATED = datetime(2026, 3, 16, 12, tzinfo=UTC)
BOUGHT = datetime(2026, 3, 16, 13, tzinfo=UTC)
IN_APRIL, IN_MAY, IN_JUNE = (datetime(2026, month, 2, 12, tzinfo=UTC) for month in (4, 5, 6))
SEAT = Decimal("36.13")  # a seat of Contact Center Pro from March 16 on: $70.00 × 16/31
TOTAL = Decimal("76.76")  # two seats from March 16 on, 72.26, and a hundred minutes, 4.50

Customers = Callable[..., list[Account]]


def buy(account: Account, by: User, *, now: datetime | None = BOUGHT, **wanted: Any) -> None:
    """Change the given parts of what the account holds, and leave the rest."""
    change_subscription(account, replace(held_by(contact_center_of(account)), **wanted), by=by, now=now)


def customer(account: Account, *, by: User, team: User | None, seats: int = 1, installed: datetime = INSTALLED) -> None:
    """Install Contact Center; with a `team`, activate it on March 16, 2026, and buy seats on that day."""
    install(account, edition="cc-pro", by=by, now=installed)
    if team:
        activate(account, by=team, reason="Ready", now=ACTIVATED)
    if seats:
        buy(account, by, seats=seats)


def number_of(account: Account, written: str, *, by: User) -> PhoneNumber:
    """Give the account a toll-free number, assigned since Contact Center was installed."""
    Account.objects.filter(pk=account.pk).update(created_at=datetime(2026, 1, 1, tzinfo=UTC))
    number = PhoneNumber.objects.create(account=account, number=written)
    assign_number(account, number, by=by, now=INSTALLED)
    return number


def called(*call_ids: str, minutes: int = 100, **other: Any) -> None:
    """Import calls of this many minutes, even more than a live feed may have; by default they are on March 20."""
    rows = [row(call_id, seconds=minutes * 60, **other) for call_id in call_ids]
    assert imported(rows, live=False).added == len(call_ids)


def bill(month: date = MARCH, now: datetime | None = IN_APRIL, **options: Any) -> RunSummary:
    return run_bills(month, now=now, **options)


def invoices() -> dict[tuple[int, date], Any]:
    """Return total, number of lines, and lines of all invoices, by account and month, without primary keys."""
    return {
        (invoice.account_id, invoice.month): (
            invoice.total,
            invoice.line_count,
            list(invoice.lines.values_list(*LINE_FIELDS)),
        )
        for invoice in Invoice.objects.prefetch_related("lines")
    }


def numbers() -> list[int]:
    return list(Invoice.objects.order_by("number").values_list("number", flat=True))


def lines(account: Account, month: date) -> list[tuple[str, str, str]]:
    """Return kind, SKU and amount of each line of the account's invoice."""
    found = Invoice.objects.get(account=account, month=month).lines.all()
    return [(line.kind, line.sku, str(line.amount)) for line in found]


def march(account: Account, by: User) -> None:
    """Make an account that was activated on March 16 owe TOTAL for the month."""
    buy(account, by, seats=2)
    called("march")


def invoiced(account: Account, by: User) -> Invoice:
    """Bill March, and return the account's invoice, whose total is TOTAL."""
    march(account, by)
    bill()
    return Invoice.objects.get(account=account)


def held_back(account: Account, by: User, settings: Any) -> BillOnHold:
    """Return the account's bill for March, which is on hold because usage above 1 dollar needs a review."""
    settings.BILL_HOLD_USAGE_ABOVE = 1
    march(account, by)
    assert bill().on_hold.keys() == {account.pk}
    return BillOnHold.objects.get()


def nowhere(account: Account, zone: str = "Mars/Olympus") -> None:
    """Put the account in an unknown time zone, which only the database's owner can do."""
    with as_owner():
        sql("SET session_replication_role = replica")
        Account.objects.filter(pk=account.pk).update(timezone=zone)
        sql("SET session_replication_role = origin")
