"""What the worklist shows about billing: toll-free minutes so far, and monthly charges once an account is live."""

from collections.abc import Collection, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from django.db.models import Case, DecimalField, ExpressionWrapper, F, OuterRef, Subquery, Sum, Value, When
from django.db.models.functions import Coalesce, Round
from django.db.models.lookups import GreaterThanOrEqual

from accounts.models import Account
from accounts.zones import today_in
from billing.inputs import Tariffs, tariffs
from billing.models import CallRecord
from billing.previews.estimate import first_bills
from billing.pricing.charges import PACKAGE, NotPriced, Tariff, month_after
from onboarding.models.mode import TIMEZONE
from subscriptions.models import Holding

USD: Final = DecimalField(max_digits=14, decimal_places=2)
EXACT: Final = DecimalField(max_digits=30, decimal_places=20)
NO_PRICE: Final = Decimal(-1_000_000_000)
FURTHEST_ZONES: Final = (timedelta(hours=-12), timedelta(hours=14))


def minutes_so_far(accounts: Collection[int]) -> dict[int, int]:
    """Return all toll-free minutes that the accounts have used, by key; those without any are left out. One query."""
    rows = CallRecord.objects.charged().filter(account__in=accounts).order_by().values("account")
    return dict(rows.annotate(total=Sum("minutes")).values_list("account", "total"))


def minutes_to_sort_by() -> Any:
    """Return the expression for `minutes_so_far`, in rows that have an `account_id`."""
    calls = CallRecord.objects.charged().filter(account=OuterRef("account_id")).order_by().values("account")
    return Coalesce(Subquery(calls.annotate(total=Sum("minutes")).values("total")), 0)


def monthly_recurring(today: Mapping[Account, date]) -> dict[int, Decimal]:
    """Return the charge of a whole month for each account once it is live, USD by key.

    `today` has each account's local day; the charge is for the month after it. Accounts that can't be priced are left
    out. The number of queries doesn't depend on the number of accounts.
    """
    bills = first_bills(list(today), {account.pk: day for account, day in today.items()})
    return {key: bill.monthly for key, bill in bills.items()}


def monthly_recurring_to_sort_by(now: datetime) -> Any:
    """Return the expression for `monthly_recurring`, in rows of onboarding; below 0 if something has no price.

    SQL multiplies and sums, with the rates that `billing.pricing.charges` finds for the month; a test checks that both
    agree. Two queries read the catalog.
    """
    catalogue = tariffs()
    first, last = ((now.astimezone(UTC) + offset).date().replace(day=1) for offset in FURTHEST_ZONES)
    if first == last:
        return _monthly_recurring_in(catalogue, month_after(first))
    has_begun = GreaterThanOrEqual(today_in(TIMEZONE, now), Value(last))
    return Case(
        When(has_begun, then=_monthly_recurring_in(catalogue, month_after(last))),
        default=_monthly_recurring_in(catalogue, month_after(first)),
    )


def _monthly_recurring_in(catalogue: Tariffs, month: date) -> Any:
    """Return the expression for the charge, in this month, of what the account holds from now on."""
    amounts = [When(item=key, then=_amount(tariff, month)) for key, tariff in catalogue.items()]
    held = Holding.objects.open().filter(account=OuterRef("account_id")).order_by().values("account")
    recurring = held.annotate(recurring=Sum(Case(*amounts, default=Value(NO_PRICE), output_field=USD))).values(
        "recurring"
    )
    return Coalesce(Subquery(recurring), Decimal(0), output_field=USD)


def _amount(tariff: Tariff, month: date) -> Any:
    """Return the expression for a row's charge: each run of days with the same price is rounded separately."""
    end = month_after(month)
    # The number of seats, which is also the quantity in the product's row; without seats, nothing is charged per seat.
    quantity = OuterRef("account__contact_center__seats") if tariff.per_seat else F("quantity")
    unpriced = ExpressionWrapper(Value(NO_PRICE) * quantity, output_field=USD)
    try:
        stretches = tariff.rated(month, end)
    except NotPriced:
        return unpriced
    if tariff.kind == PACKAGE and any(rate.per_minute is None for _, _, rate in stretches):
        return unpriced
    runs: list[tuple[Decimal, int]] = []
    for first, stop, rate in stretches:
        days = (stop - first).days
        if runs and runs[-1][0] == rate.monthly_price:
            runs[-1] = (rate.monthly_price, runs[-1][1] + days)
        else:
            runs.append((rate.monthly_price, days))
    parts = [
        Round(ExpressionWrapper(Value(price * days) * quantity / Value((end - month).days), output_field=EXACT), 2)
        for price, days in runs
    ]
    return ExpressionWrapper(sum(parts[1:], parts[0]), output_field=USD)
