"""Which bills wait for a person (I20): out of line with what the account was billed before, or very large.

Usage comes from a feed that may be wrong, and prices are typed in. What else recurs was bought on purpose: more seats,
or going live, never put a bill on hold.
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

    `jumped` are those that cost more than so many times as much since.
    """

    tariffs: Mapping[str, Tariff]
    jumped: Set[str]


class HoldChecks:
    """What the bills of some accounts for a month are compared with.

    Made before the first bill is priced: while bills are written, the connection is busy. One query, or none if no
    item changed its price before the end of the month.
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

    def needs_review(self, bill: Bill, facts: BillingInputs) -> bool:
        """Return whether `reason` is to look at the bill: it may be put on hold. No query."""
        above = settings.BILL_HOLD_USAGE_ABOVE
        # The total is never less than the usage, unless recurring charges are taken back.
        has_much_usage = bill.total > above and _sum(_usage(bill)) > above
        return has_much_usage or bill.total < 0 or bool(self._large_total(bill) or self._price_jump(bill, facts))

    def reason(self, bill: Bill, facts: BillingInputs) -> str:
        """Return why a doubtful bill should wait for a person, in sentences with the amounts, or nothing."""
        if bill.total < 0:
            return f"The total is negative: {money(bill.total)}."
        reasons = (self._large_total(bill), self._price_jump(bill, facts), self._much_usage(bill))
        return " ".join(filter(None, reasons))

    def _large_total(self, bill: Bill) -> str:
        most = settings.BILL_HOLD_TOTAL_ABOVE
        return f"The total of {money(bill.total)} is above {money(Decimal(most))}." if 0 < most < bill.total else ""

    def _price_jump(self, bill: Bill, facts: BillingInputs) -> str:
        """Compare the recurring charges with what they would be at the prices the account was last billed at."""
        day = self._last_days.get(bill.account)
        if day is None:
            return ""
        earlier = self._prices_of(day)
        # A sum is more than so many times another only if one of its parts is: for nearly all accounts, it ends here.
        if not any(row.item.sku in earlier.jumped for row in facts.held):
            return ""
        held = [row._replace(item=earlier.tariffs.get(row.item.sku, row.item)) for row in facts.held]
        before = _sum(recurring(self._month, held, facts.activated_on))
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
        """Return whether, before the end of the month, it costs more than so many times what it costs on a day."""
        before = tariff.priced_as_on(day).rates[0].monthly_price
        since = [rate.monthly_price for rate in tariff.rates if day < rate.effective_from < self._end]
        return max(since) > before * settings.BILL_HOLD_PRICE_TIMES

    def _much_usage(self, bill: Bill) -> str:
        """Compare the usage, above an amount that is worth a look, with the account's last invoice with usage."""
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
