"""Decides which bills are put on hold for a person (I20): those out of line with earlier bills, or very large.

Usage comes from a feed that may be wrong, and prices are typed in. Everything else was bought on purpose, so more
seats, or going live, never make a bill out of line.
"""

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from django.conf import settings
from django.db import connection

from billing.inputs import BillingInputs, Tariffs
from billing.models import InvoiceLine
from billing.pricing.charges import RECURRING, Line, Tariff, month_after, recurring
from billing.runs.writing import Bill
from core.dates import day_in_words
from core.money import money

LAST_BILLED = """
    SELECT account, billed.month FROM unnest(%(keys)s::bigint[]) account CROSS JOIN LATERAL (
        SELECT month FROM billing_billedmonth WHERE account_id = account AND month < %(month)s
        ORDER BY month DESC LIMIT 1) billed
"""


@dataclass(frozen=True)
class _Earlier:
    """The items whose price changed between a day and the end of the month, by SKU, at their price of that day.

    `jumped` are the SKUs of those that now cost more than BILL_HOLD_PRICE_TIMES as much.
    """

    tariffs: Mapping[str, Tariff]
    jumped: Set[str]


class HoldChecks:
    """Compares the bills of accounts for a month with what they were billed before.

    Must be created before the first bill is priced, because while bills are written, the connection is busy. Takes one
    query, or none if no item's price changed before the end of the month.
    """

    def __init__(self, accounts: Sequence[int], month: date, catalogue: Tariffs) -> None:
        self._month = month
        self._end = month_after(month)
        self._tariffs = [tariff for tariff in catalogue.values() if tariff.changes_price(date.min, self._end)]
        self._earlier: dict[date, _Earlier] = {}
        self._last_days: dict[int, date] = {}
        if self._tariffs and settings.BILL_HOLD_PRICE_TIMES:
            with connection.cursor() as cursor:
                cursor.execute(LAST_BILLED, {"keys": list(accounts), "month": month})
                self._last_days = {account: month_after(last) - timedelta(days=1) for account, last in cursor}

    def needs_review(self, bill: Bill, inputs: BillingInputs) -> bool:
        """Return whether the bill may have to be put on hold: then `reason` decides. No queries."""
        above = settings.BILL_HOLD_USAGE_ABOVE
        # The total is never less than the usage, unless recurring charges are taken back.
        has_much_usage = bill.total > above and _sum(_usage(bill)) > above
        return has_much_usage or bill.total < 0 or bool(self._large_total(bill) or self._price_jump(bill, inputs))

    def reason(self, bill: Bill, inputs: BillingInputs) -> str:
        """Return why the bill should be put on hold, in sentences with the amounts, or an empty string."""
        if bill.total < 0:
            return f"The total is negative: {money(bill.total)}."
        reasons = (self._large_total(bill), self._price_jump(bill, inputs), self._much_usage(bill))
        return " ".join(filter(None, reasons))

    def _large_total(self, bill: Bill) -> str:
        most = settings.BILL_HOLD_TOTAL_ABOVE
        return f"The total of {money(bill.total)} is above {money(Decimal(most))}." if 0 < most < bill.total else ""

    def _price_jump(self, bill: Bill, inputs: BillingInputs) -> str:
        """Compare the recurring charges with those at the prices of the last day billed before.

        Return a sentence if they are out of line, or an empty string.
        """
        day = self._last_days.get(bill.account)
        if day is None:
            return ""
        earlier = self._prices_of(day)
        # The total can only have jumped if the price of one of its items has, which is rare: most accounts end here.
        if not any(row.item.sku in earlier.jumped for row in inputs.held):
            return ""
        held = [row._replace(item=earlier.tariffs.get(row.item.sku, row.item)) for row in inputs.held]
        before = _sum(recurring(self._month, held, inputs.activated_on))
        charged = _sum(_recurring(bill.lines))
        if charged <= before * settings.BILL_HOLD_PRICE_TIMES:
            return ""
        return (
            f"Recurring charges of {money(charged)}, which would be {money(before)} "
            f"at the prices of {day_in_words(day)}, the last day billed before."
        )

    def _prices_of(self, day: date) -> "_Earlier":
        if day not in self._earlier:
            changed = [tariff for tariff in self._tariffs if tariff.changes_price(day, self._end)]
            self._earlier[day] = _Earlier(
                tariffs={tariff.sku: tariff.priced_as_on(day) for tariff in changed},
                jumped={tariff.sku for tariff in changed if self._has_jumped(tariff, day)},
            )
        return self._earlier[day]

    def _has_jumped(self, tariff: Tariff, day: date) -> bool:
        """Return whether its price after a day, before the month ends, is above BILL_HOLD_PRICE_TIMES that day's."""
        before = tariff.priced_as_on(day).rates[0].monthly_price
        since = [rate.monthly_price for rate in tariff.rates if day < rate.effective_from < self._end]
        return max(since) > before * settings.BILL_HOLD_PRICE_TIMES

    def _much_usage(self, bill: Bill) -> str:
        """Compare usage above BILL_HOLD_USAGE_ABOVE with that on the account's last invoice that has any.

        Return a sentence if it is out of line, or an empty string.
        """
        usage = _sum(_usage(bill))
        if usage <= settings.BILL_HOLD_USAGE_ABOVE:
            return ""
        lines = InvoiceLine.objects.filter(invoice__account=bill.account).exclude(kind=RECURRING)
        earlier = lines.filter(invoice__month__lt=self._month).order_by("-invoice__month")
        latest = earlier.values_list("invoice__month", flat=True).first()
        before = Decimal(0)
        if latest:
            before = sum(lines.filter(invoice__month=latest).values_list("amount", flat=True), before)
        if usage <= before * settings.BILL_HOLD_USAGE_TIMES:
            return ""
        return f"Usage of {money(usage)}, after {money(before)} on the last invoice with usage."


def _recurring(lines: Iterable[Line]) -> Iterable[Line]:
    return (line for line in lines if line.kind == RECURRING)


def _usage(bill: Bill) -> Iterable[Line]:
    return (line for line in bill.lines if line.kind != RECURRING)


def _sum(lines: Iterable[Line]) -> Decimal:
    return sum([line.amount for line in lines], Decimal(0))
