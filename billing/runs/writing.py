"""Writes bills by COPY: first the lines, then their invoices. Invoice numbers are taken last."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from itertools import islice

from django.db import connection

from billing.models import LINE_FIELDS, LateMonth
from billing.pricing.charges import Line


@dataclass(slots=True)
class Bill:
    """The lines of an account's next invoice; none if nothing is owed."""

    account: int
    lines: Sequence[Line]
    total: Decimal = field(init=False)
    key: int | None = field(init=False, default=None)  # the invoice's, once the lines are written

    def __post_init__(self) -> None:
        self.total = sum([line.amount for line in self.lines], Decimal("0.00"))


assert Line._fields == LINE_FIELDS  # a line is written unchanged
LINE_COLUMNS = ("invoice_id", "position", "line_count", *LINE_FIELDS)
INVOICE_COLUMNS = ("id", "number", "account_id", "month", "issued_at", "total", "line_count")
BILLED_COLUMNS = ("account_id", "month", "billed_at")


def write_lines(bills: Iterable[Bill], *, at_most: int) -> list[Bill]:
    """Write the lines of up to `at_most` bills as they come; return the bills, each with the key of its invoice.

    The caller must write the invoices in the same transaction (decision 0006). The connection is busy until all bills
    have come, so code that yields them can't run queries.
    """
    written: list[Bill] = []
    _copy("billing_invoiceline", LINE_COLUMNS, _line_texts(_new_keys(at_most), bills, written))
    return written


def write_invoices(bills: Sequence[Bill], settled: Iterable[Bill], *, month: date, now: datetime) -> range:
    """Write the invoices of bills whose lines are written, and record the month as billed for all in `settled`.

    Returns the numbers of the invoices. The caller must write their documents in the same transaction.
    """
    at = now.isoformat()
    _copy("billing_billedmonth", BILLED_COLUMNS, (f"{bill.account}\t{month}\t{at}" for bill in settled))
    if not bills:
        return range(0)
    first = take_numbers("invoices", len(bills))
    invoices = (
        f"{bill.key}\t{number}\t{bill.account}\t{month}\t{at}\t{bill.total}\t{len(bill.lines)}"
        for number, bill in enumerate(bills, first)
    )
    _copy("billing_invoice", INVOICE_COLUMNS, invoices)
    return range(first, first + len(bills))


def settle_late_months(accounts: Sequence[int], before: date, *, now: datetime) -> None:
    """Mark the accounts' late months before the month that was billed as settled: its bills included them.

    The caller's transaction locked the accounts before it read their calls, so no calls have come in since. There is no
    query without accounts, which is the usual case.
    """
    if accounts:
        LateMonth.objects.open().filter(account__in=accounts, month__lt=before).update(settled_at=now)


def take_numbers(of: str, count: int) -> int:
    """Take `count` new numbers of `invoices` or `credit_notes`, and return the first.

    The next transaction that takes numbers waits until this one ends, and gets the same ones if it is rolled back. So
    there are no gaps (I9).
    """
    assert of in ("invoices", "credit_notes")
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO billing_counter (id, {of}) VALUES (1, %(count)s) "  # noqa: S608 - one of two names
            f"ON CONFLICT (id) DO UPDATE SET {of} = billing_counter.{of} + %(count)s RETURNING {of}",
            {"count": count},
        )
        last: int = cursor.fetchone()[0]
        return last - count + 1


def _new_keys(count: int) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT nextval(pg_get_serial_sequence('billing_invoice', 'id')) FROM generate_series(1, %s)", [count]
        )
        return [key for (key,) in cursor.fetchall()]


def _line_texts(keys: Iterable[int], bills: Iterable[Bill], written: list[Bill]) -> Iterator[str]:
    """Yield the lines in the text form of COPY; a line that many bills share is turned into text only once."""
    texts: dict[int, str] = {}  # by the lines' `id`, which can't be reused as long as `written` keeps their bills
    unused = iter(keys)
    for bill in bills:
        written.append(bill)
        if not bill.lines:
            continue
        bill.key = next(unused)
        count = len(bill.lines)
        for place, line in enumerate(bill.lines, 1):
            text = texts.get(id(line))
            if text is None:
                text = texts[id(line)] = "\t".join(map(str, line))
            yield f"{bill.key}\t{place}\t{count}\t{text}"


def _copy(table: str, columns: Sequence[str], rows: Iterable[str]) -> None:
    """Write rows of text by COPY; “None” is NULL. Nothing needs escaping: values are numbers, dates and our names."""
    statement = f"COPY {table} ({', '.join(columns)}) FROM STDIN (NULL 'None')"
    remaining = iter(rows)
    with connection.wrap_database_errors, connection.cursor() as cursor, cursor.copy(statement) as copy:
        while block := list(islice(remaining, ROWS_A_WRITE)):
            copy.write("\n".join(block) + "\n")


ROWS_A_WRITE = 500
