"""What the worklist shows of money: toll-free minutes so far, and monthly recurring charges once an account is live."""

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
    """Return the toll-free minutes that the accounts with these keys ever used; without any, none. One query."""
    rows = CallRecord.objects.charged().filter(account__in=accounts).order_by().values("account")
    return dict(rows.annotate(total=Sum("minutes")).values_list("account", "total"))


def minutes_to_sort_by() -> Any:
    """Return the expression of `minutes_so_far`, for rows that have an `account_id`."""
    calls = CallRecord.objects.charged().filter(account=OuterRef("account_id")).order_by().values("account")
    return Coalesce(Subquery(calls.annotate(total=Sum("minutes")).values("total")), 0)


def monthly_recurring(today: Mapping[Account, date]) -> dict[int, Decimal]:
    """Return what each account is charged for a whole month once it is live, USD by key; without what has no price.

    `today` is the day it is where each account is; what is told is the charge of the month after it. The queries do
    not depend on how many accounts there are.
    """
    bills = first_bills(list(today), {account.pk: day for account, day in today.items()})
    return {key: bill.monthly for key, bill in bills.items()}


def monthly_recurring_to_sort_by(now: datetime) -> Any:
    """Return the expression of `monthly_recurring`, for rows of onboarding; less than 0 for what has no price.

    SQL multiplies and sums, by the rates that `billing.pricing.charges` finds for the month: a test holds the two
    together. Two queries read the catalogue.
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
    """Return the expression of what is held from now on, for a whole month of the account's own."""
    amounts = [When(item=key, then=_amount(tariff, month)) for key, tariff in catalogue.items()]
    held = Holding.objects.open().filter(account=OuterRef("account_id")).order_by().values("account")
    recurring = held.annotate(recurring=Sum(Case(*amounts, default=Value(NO_PRICE), output_field=USD))).values(
        "recurring"
    )
    return Coalesce(Subquery(recurring), Decimal(0), output_field=USD)


def _amount(tariff: Tariff, month: date) -> Any:
    """Return the expression of a row's charge: for each run of days with one price, rounded by itself."""
    end = month_after(month)
    # The seats of the day, which the product's own row has too; without any, nothing per seat is charged.
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
