"""What billing adds to the worklist: an account's minutes, its monthly recurring charges, and its first bill."""

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.http import HttpRequest

from billing.previews.estimate import first_bills
from billing.previews.monthly_recurring import (
    minutes_so_far,
    minutes_to_sort_by,
    monthly_recurring,
    monthly_recurring_to_sort_by,
)
from core.admin import Panel
from core.money import money
from onboarding.admin.worklist import WORKLIST, Column, Export, Loader

PREVIEWED = timedelta(days=30)


def minutes_of(rows: Sequence[Any]) -> dict[int, int]:
    return minutes_so_far([row.account_id for row in rows])


def values_of(rows: Sequence[Any]) -> dict[int, Decimal]:
    return monthly_recurring({row.account: row.today for row in rows})


MINUTES = Loader("minutes", load=minutes_of, missing=0)
VALUE = Loader[Decimal | None]("value", load=values_of, missing=None)


def value(row: Any) -> str | None:
    found = VALUE.of(row)
    return None if found is None else money(found)


def exact_value(row: Any) -> Decimal | str:
    found = VALUE.of(row)
    return "" if found is None else found


def usage(request: HttpRequest, row: Any) -> dict[str, Any]:
    return {"minutes": MINUTES.of(row), "value": VALUE.of(row)}


def first_bill(request: HttpRequest, row: Any) -> dict[str, Any] | None:
    """Return a preview of the first bill if the account were activated on the day in the URL's `on`, by default today.

    Returns None if the account is active.
    """
    if row.is_active:
        return None
    last = row.today + PREVIEWED
    try:
        day = date.fromisoformat(request.GET.get("on", row.today.isoformat()))
    except ValueError:
        day = date.max
    is_possible = row.today <= day <= last
    day = day if is_possible else row.today
    preview = first_bills([row.account], {row.account_id: day}).get(row.account_id)
    return {"preview": preview, "preview_on": day, "preview_last": last, "no_such_day": not is_possible}


WORKLIST.register_loader(MINUTES)
WORKLIST.register_loader(VALUE)
WORKLIST.register_column(
    Column(
        "minutes",
        title="Toll-free minutes",
        place=90,
        show=lambda row: f"{MINUTES.of(row):,}",
        sort_by=minutes_to_sort_by(),
        exports=[Export("toll_free_minutes", MINUTES.of, place=130)],
    )
)
WORKLIST.register_column(
    Column(
        "value",
        title="Monthly, once live",
        place=100,
        show=value,
        sort_by=monthly_recurring_to_sort_by,
        exports=[Export("monthly_once_live_usd", exact_value, place=140)],
    )
)
WORKLIST.register_panel(Panel("usage", "admin/billing/worklist/usage.html", area="readiness", place=10, context=usage))
WORKLIST.register_panel(
    Panel("first_bill", "admin/billing/worklist/first_bill.html", area="below", place=10, context=first_bill)
)
