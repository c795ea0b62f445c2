"""Reads the values that bills are computed from, with the same few queries for one account or a chunk of thousands.

In each query every table is limited to the chunk's keys, not only the first: with the join alone, the planner reads
whole indexes for each chunk.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django.db import connection

from billing.models import LINE_FIELDS, InvoiceLine
from billing.pricing.charges import Held, Line, Rate, Tariff, current_lines, month_after, owed
from billing.pricing.settlement import to_invoice
from subscriptions.kinds import ORDER_ON_BILL
from subscriptions.models import ChargedPer, Item, ItemKind

Tariffs = Mapping[int, Tariff]


@dataclass
class BillingInputs:
    """Everything that one account's bill is computed from, as plain values; days and months are in its time zone."""

    account: int
    zone: str
    activated_on: date | None  # the first day that is charged (billing-policy.md, 5)
    held: list[Held] = field(default_factory=list)
    minutes: dict[date, int] = field(default_factory=dict)
    late_months: list[date] = field(default_factory=list)
    invoiced: list[Line] = field(default_factory=list)

    def owed(self, month: date) -> list[Line]:
        """Return the lines that the account owes for a month. Raises NotPriced as `charges.owed` does."""
        return owed(month, self.held, self.minutes, self.activated_on)

    def to_invoice(self, month: date) -> list[Line]:
        """Return the lines of the month's invoice: what is owed, and adjustments of months whose calls came late."""
        months = [month, *self.late_months]
        now = {each: current_lines(each, self.held, self.minutes, self.activated_on) for each in months}
        return to_invoice(month, now, self.invoiced)

    def adjustments(self, month: date) -> list[Line]:
        """Return the adjustments of earlier months on the month's invoice, as far as they are already known."""
        return [line for line in self.to_invoice(month) if line.month != month] if self.late_months else []


def tariffs() -> Tariffs:
    """Return the whole catalog with its prices, by item key. Two queries."""
    return {
        item.pk: Tariff(
            sku=item.sku,
            kind=item.kind,
            per_seat=item.charged_per == ChargedPer.SEAT,
            rates=tuple(
                Rate(price.effective_from, price.monthly_price, price.per_minute) for price in item.prices.all()
            ),
            minutes=item.size if item.kind == ItemKind.PACKAGE else 0,
            order=ORDER_ON_BILL[item.kind],
        )
        for item in Item.objects.prefetch_related("prices")
    }


def inputs_of(
    accounts: Sequence[int], month: date, catalogue: Tariffs, *, since: date | None = None
) -> dict[int, BillingInputs]:
    """Return the inputs, by key, of those of the accounts that had Contact Center by the end of the month.

    They have what was held and called in the month, or in all months from `since` to the month. What is held on the
    first day after the month is included too, because a change that waits for that day is what is held from then on.

    Four queries, and three more if calls of earlier months came late. They read all keys from the lowest to the
    highest, or only those of the accounts if these are few among them.
    """
    if not accounts:
        return {}
    scattered = max(accounts) - min(accounts) > len(accounts) * SCATTERED
    bounds = {
        "lo": min(accounts),
        "hi": max(accounts),
        "keys": list(accounts),
        "month": month,
        "since": since or month,
        "end": month_after(month),
    }
    wanted = set(accounts)
    of_accounts, only = (" AND o.account_id = ANY(%(keys)s)", OF_THESE) if scattered else ("", "")
    accounts_in_order = _rows(ACCOUNTS + of_accounts + " ORDER BY a.id", bounds)
    inputs = {row[0]: BillingInputs(*row) for row in accounts_in_order if row[0] in wanted}
    for account, late in _rows(LATE + only, bounds):
        if account in inputs:
            inputs[account].late_months.append(late)
    _fill(inputs, bounds, catalogue, only)
    behind = [account for account, one in inputs.items() if one.late_months]
    if behind:
        _fill_late(inputs, behind, month, catalogue)
    return inputs


SCATTERED = 20
ACCOUNTS = """
    SELECT a.id, a.timezone, o.activated_on
    FROM accounts_account a JOIN onboarding_onboarding o ON o.account_id = a.id
    WHERE a.id BETWEEN %(lo)s AND %(hi)s AND o.account_id BETWEEN %(lo)s AND %(hi)s
        AND o.started_on < %(end)s
"""
LATE = """
    SELECT account_id, month FROM billing_latemonth
    WHERE account_id BETWEEN %(lo)s AND %(hi)s AND month < %(month)s AND settled_at IS NULL
"""
HELD = """
    SELECT account_id, array_agg(item_id), array_agg(quantity), array_agg(lower(period)), array_agg(upper(period))
    FROM subscriptions_holding
    WHERE account_id BETWEEN %(lo)s AND %(hi)s AND superseded_by_id IS NULL
        AND period && daterange(%(since)s, %(end)s, '[]')
"""
MINUTES = """
    SELECT account_id, array_agg(day), array_agg(minutes) FROM (
        SELECT account_id, day, sum(minutes) AS minutes FROM billing_callrecord
        WHERE account_id BETWEEN %(lo)s AND %(hi)s AND is_toll_free AND NOT is_voided
            AND day >= %(since)s AND day < %(end)s
        GROUP BY account_id, day) by_day
    WHERE account_id BETWEEN %(lo)s AND %(hi)s
"""
OF_THESE = " AND account_id = ANY(%(keys)s)"


def _fill(inputs: Mapping[int, BillingInputs], bounds: Mapping[str, Any], catalogue: Tariffs, only: str = "") -> None:
    """Add what was held and called within the bounds to the inputs. The queries return a row of arrays per account."""
    for account, items, *columns in _rows(HELD + only + " GROUP BY account_id", bounds):
        if account in inputs:
            inputs[account].held += map(Held, map(catalogue.__getitem__, items), *columns)
    for account, days, counts in _rows(MINUTES + only + " GROUP BY account_id", bounds):
        if account in inputs:
            inputs[account].minutes.update(zip(days, counts, strict=True))


def _fill_late(inputs: Mapping[int, BillingInputs], behind: Sequence[int], month: date, catalogue: Tariffs) -> None:
    """Read more for accounts whose calls came late: from their first late month on, and with what was invoiced."""
    first = min(min(inputs[account].late_months) for account in behind)
    for account in behind:
        inputs[account].held.clear()
        inputs[account].minutes.clear()
    bounds = {"lo": min(behind), "hi": max(behind), "keys": list(behind), "since": first, "end": month_after(month)}
    _fill({account: inputs[account] for account in behind}, bounds, catalogue, OF_THESE)
    lines = InvoiceLine.objects.filter(invoice__account__in=behind, month__gte=first, month__lte=month)
    for account, *values in lines.order_by("pk").values_list("invoice__account_id", *LINE_FIELDS):
        inputs[account].invoiced.append(Line(**dict(zip(LINE_FIELDS, values, strict=True))))


def _rows(query: str, parameters: Mapping[str, Any]) -> Iterable[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(query, parameters)
        fetched: list[tuple[Any, ...]] = cursor.fetchall()
        return fetched
