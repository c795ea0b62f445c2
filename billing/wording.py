"""Texts about the lines of a bill, such as how an amount was computed. No queries.

The sentences are kept with each document, in every language (`billing/documents/presentation.py`). So a document that
was issued reads the same whatever the translations, Django's names of months or its formats become.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from functools import cache

from django.utils.formats import date_format
from django.utils.translation import get_language, gettext, ngettext, override, pgettext

from billing.pricing.charges import ADJUSTMENT, RECURRING, Line
from core.money import money, rate
from subscriptions.models import ItemKind

Texts = Mapping[str, str | Sequence[str]]
ONE_AND_SEVERAL = (1, 2)


@dataclass(frozen=True)
class Sentences:
    """The sentences of a language by their names; where a number decides, the one for 1 and the one for others."""

    language: str
    texts: Texts

    def text(self, name: str, /, **values: object) -> str:
        """Return a sentence with these values in it."""
        found = self.texts[name]
        assert isinstance(found, str)
        return found % values if values else found

    def counted(self, name: str, count: int, /, **values: object) -> str:
        """Return the sentence for a number, which is written with separators."""
        return self.texts[name][0 if count == 1 else 1] % {"count": f"{count:,}", **values}

    def day(self, day: date) -> str:
        """Return a day, like `March 5, 2026`."""
        return self.text("a day", month=self.texts["months"][day.month - 1], day=day.day, year=day.year)

    def month(self, month: date) -> str:
        """Return the month of a day, like `March 2026`."""
        return self.text("a month", month=self.texts["months"][month.month - 1], year=month.year)

    def days_of(self, line: Line) -> str:
        """Return the days of a line, like `Mar 16–31, 2026`, or a single day."""
        first, last = line.first, line.last
        days = f"{first.day}" if first == last else f"{first.day}–{last.day}"
        month = self.texts["months in short"][first.month - 1]
        return self.text("days", month=month, days=days, year=first.year)

    def title(self, line: Line, items: Mapping[str, tuple[str, str]]) -> str:
        """Return what a line is about: `Contact Center Pro`, `Recording storage, 100 GB`, `Toll-free minutes, Plus`.

        `items` has the name and the kind of each item by SKU.
        """
        name, kind = items.get(line.sku, (line.sku, ""))
        if line.kind != RECURRING:
            name = self.text("usage", package=name)
        elif kind in (ItemKind.STORAGE, ItemKind.PACKAGE):
            name = f"{self.text(kind)}, {name}"
        if line.kind != ADJUSTMENT:
            return name
        return self.text("adjustment", name=name, month=self.month(line.month))

    def arithmetic(self, line: Line) -> str:
        """Return the arithmetic of a line's amount: `25 seats × $70.00 × 16 of 31 days = $903.23`."""
        if line.kind == RECURRING:
            seats = f"{self.counted('seats', line.quantity)} × " if line.per_seat else ""
            whole = line.days == line.days_in_month
            part = "" if whole else f" × {self._part_of_month(line)}"
            if not seats and not part:
                return self.text("full month", amount=money(line.amount))
            return f"{seats}{money(line.unit_price)}{part} = {money(line.amount)}"
        return f"{self._usage(line)} = {money(_usage_amount(line))}{self._less(line)}"

    def included(self, line: Line) -> str:
        """Return how many minutes a usage line's days include: `267 minutes included for Nov 15–30, 2026`."""
        return self.counted("included for", line.included or 0, days=self.days_of(line))

    def _part_of_month(self, line: Line) -> str:
        return self.text("part of month", days=line.days, all=line.days_in_month)

    def _usage(self, line: Line) -> str:
        """Return how the charged minutes were computed, and their price."""
        used, included = line.minutes or 0, line.included or 0
        price = "× " + self.text("per minute", price=rate(line.unit_price))
        if not line.package_minutes:
            return f"{self.counted('minutes', used)} {price}"
        included_in_words = self.text("included", minutes=f"{included:,}")
        if line.days != line.days_in_month:
            rounded = self.text("rounded up", part=self._part_of_month(line))
            included_in_words = f"{self.counted('minutes', line.package_minutes)} × {rounded} = {included_in_words}"
        charged = self.text("charged of", charged=f"{line.quantity:,}", used=self.counted("minutes", used))
        return f"{charged} ({included_in_words}) {price}"

    def _less(self, line: Line) -> str:
        """Return the end of an adjustment's arithmetic: less what was invoiced before. Empty for other lines."""
        if line.kind != ADJUSTMENT:
            return ""
        invoiced = self.text("invoiced before", amount=money(line.invoiced or Decimal(0)))
        return f", {invoiced} = {money(line.amount)}"


def sentences() -> Sentences:
    """Return the sentences in the active language."""
    return sentences_in(get_language() or "en")


@cache
def sentences_in(language: str) -> Sentences:
    """Return the sentences in a language, as they are translated today."""
    with override(language):
        return Sentences(language, _of_lines() | _of_documents())


def _of_lines() -> dict[str, str | list[str]]:
    """Return the sentences about lines in the active language."""
    days = [date(2000, month, 1) for month in range(1, 13)]
    short = pgettext("a month in short, as of Django's date filter", "M")
    return {
        "months": [date_format(day, "F") for day in days],
        "months in short": [date_format(day, short) for day in days],
        "a day": pgettext("a day, as of March 16, 2026", "%(month)s %(day)s, %(year)s"),
        "a month": pgettext("a month, as of March 2026", "%(month)s %(year)s"),
        "days": pgettext("days of a month, as of Mar 16–31, 2026", "%(month)s %(days)s, %(year)s"),
        "usage": gettext("Toll-free minutes, %(package)s"),
        **{str(kind): str(kind.label) for kind in (ItemKind.STORAGE, ItemKind.PACKAGE)},
        "adjustment": gettext("%(name)s, adjustment for %(month)s"),
        "full month": gettext("%(amount)s for the full month"),
        "included for": [
            ngettext("%(count)s minute included for %(days)s", "%(count)s minutes included for %(days)s", count)
            for count in ONE_AND_SEVERAL
        ],
        "seats": [ngettext("%(count)s seat", "%(count)s seats", count) for count in ONE_AND_SEVERAL],
        "part of month": gettext("%(days)s of %(all)s days"),
        "per minute": gettext("%(price)s per minute"),
        "included": gettext("%(minutes)s included"),
        "rounded up": gettext("%(part)s, rounded up"),
        "charged of": gettext("%(charged)s charged of %(used)s"),
        "invoiced before": gettext("minus %(amount)s already invoiced"),
        "minutes": [ngettext("%(count)s minute", "%(count)s minutes", count) for count in ONE_AND_SEVERAL],
    }


def _of_documents() -> dict[str, str | list[str]]:
    """Return the sentences around the lines, in the active language."""
    return {
        "invoice": gettext("Invoice"),
        "credit": gettext("Credit"),
        "credit note": gettext("Credit note"),
        "invoice date": gettext("Invoice date"),
        "credit note date": gettext("Date"),
        "due date": gettext("Due date"),
        "billing month": gettext("Billing month"),
        "account": gettext("Account"),
        "purchase order": gettext("Purchase order"),
        "for invoice": gettext("For invoice"),
        "from": pgettext("who issues a document", "From"),
        "bill to": gettext("Bill to"),
        "tax number": gettext("Tax number: %(number)s"),
        "description": gettext("Description"),
        "period": pgettext("days that a line of an invoice is for", "Period"),
        "amount": gettext("Amount (USD)"),
        "total": gettext("Total (USD, excluding taxes)"),
        "credited": gettext("Credited (USD, excluding taxes)"),
        "how to pay": gettext("How to pay"),
        "pay by": gettext("Please pay %(amount)s by %(day)s."),
        "a credit": gettext("This is a credit, so there is nothing to pay."),
        "nothing to pay": gettext("There is nothing to pay."),
        "outside the scope of tax": gettext("Taxes are not included."),
        "already invoiced": gettext("Already invoiced"),
        "payments": gettext("Payments are not shown on this document."),
        "credit for": gettext("Credit for %(invoice)s"),
        "questions": gettext("Questions about this document?"),
        "page": gettext("Page {page} of {pages}"),
    }


def _usage_amount(line: Line) -> Decimal:
    return (line.quantity * line.unit_price).quantize(Decimal("0.01"), ROUND_HALF_UP)
