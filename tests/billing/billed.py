"""A customer's March, bought, called and billed by the actions."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from accounts.models import Account, User
from billing.actions import run_bills
from billing.models import HeldBill, Invoice
from subscriptions.actions import change_subscription
from subscriptions.catalogue import contact_center_of, held_by
from tests.billing.calls import imported, row

MARCH, APRIL = date(2026, 3, 1), date(2026, 4, 1)
IN_APRIL, IN_MAY = (datetime(2026, month, 2, 12, tzinfo=UTC) for month in (4, 5))
TOTAL = Decimal("76.76")  # two seats from March 16 on, 72.26, and a hundred minutes, 4.50


def bought(account: Account, by: User, *, now: datetime, **wanted: Any) -> None:
    """Let the account hold what it holds, with these changes."""
    change_subscription(account, replace(held_by(contact_center_of(account)), **wanted), by=by, now=now)


def called(*call_ids: str, minutes: int = 100, **other: Any) -> None:
    """Receive calls of so many minutes, on March 20 unless told."""
    assert imported([row(call_id, seconds=minutes * 60, **other) for call_id in call_ids]).added == len(call_ids)


def march(account: Account, by: User) -> None:
    """Let an account that was activated on March 16 owe TOTAL for the month."""
    bought(account, by, now=datetime(2026, 3, 16, 13, tzinfo=UTC), seats=2)
    called("march")


def invoiced(account: Account, by: User) -> Invoice:
    """Return the account's invoice of March, over TOTAL."""
    march(account, by)
    run_bills(MARCH, now=IN_APRIL)
    return Invoice.objects.get(account=account)


def held_back(account: Account, by: User, settings: Any) -> HeldBill:
    """Return the account's bill of March, held since usage above 1 dollar waits for a person."""
    settings.BILL_HOLD_USAGE_ABOVE = 1
    march(account, by)
    assert run_bills(MARCH, now=IN_APRIL).held.keys() == {account.pk}
    return HeldBill.objects.get()
