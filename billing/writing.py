"""How bills are written: lines, then their invoices, by COPY; numbers last of all."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from itertools import islice

from django.db import connection

from billing.charges import Line
from billing.models import LINE_FIELDS


@dataclass
class Bill:
    """The lines of an account's invoice to be; none where nothing is owed."""

    account: int
    lines: Sequence[Line]
    total: Decimal = field(init=False)

    def __post_init__(self) -> None:
        self.total = sum((line.amount for line in self.lines), Decimal("0.00"))


assert Line._fields == LINE_FIELDS  # a line is written as it is
LINE_COLUMNS = ("invoice_id", *LINE_FIELDS)
INVOICE_COLUMNS = ("id", "number", "account_id", "month", "issued_at", "total", "line_count")
BILLED_COLUMNS = ("account_id", "month", "billed_at")


def write_bills(
    bills: Sequence[Bill],
    settled: Iterable[int],
    *,
    month: date,
    now: datetime,
    checkpoint: Callable[[str], None],
) -> None:
    """Write the invoices of the bills, and that the settled accounts' month was billed, in the caller's transaction."""
    at = now.isoformat()
    _copy("billing_billedmonth", BILLED_COLUMNS, (f"{account}\t{month}\t{at}" for account in settled))
    if not bills:
        return
    keys = _new_keys(len(bills))
    _copy("billing_invoiceline", LINE_COLUMNS, _line_texts(keys, bills))
    checkpoint("after lines")
    first = take_numbers("invoices", len(bills))
    invoices = (
        f"{key}\t{first + place}\t{bill.account}\t{month}\t{at}\t{bill.total}\t{len(bill.lines)}"
        for place, (key, bill) in enumerate(zip(keys, bills, strict=True))
    )
    _copy("billing_invoice", INVOICE_COLUMNS, invoices)


def take_numbers(of: str, count: int) -> int:
    """Return the first of `count` new numbers of `invoices` or `credit_notes`.

    Whoever takes numbers next waits until this transaction ends, and gets these where it is rolled back: no gaps (I9).
    """
    assert of in ("invoices", "credit_notes")
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO billing_counter (id, {of}) VALUES (1, %(count)s) "  # noqa: S608 - one of two names
            f"ON CONFLICT (id) DO UPDATE SET {of} = billing_counter.{of} + %(count)s RETURNING {of}",
            {"count": count},
        )
        return cursor.fetchone()[0] - count + 1


def _new_keys(count: int) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT nextval(pg_get_serial_sequence('billing_invoice', 'id')) FROM generate_series(1, %s)", [count]
        )
        return [key for (key,) in cursor.fetchall()]


def _line_texts(keys: Iterable[int], bills: Iterable[Bill]) -> Iterator[str]:
    """Yield the rows of the lines; a line that many bills share is turned into text once."""
    texts: dict[int, str] = {}  # by identity, which is the bills' for as long as they are here
    for key, bill in zip(keys, bills, strict=True):
        for line in bill.lines:
            text = texts.get(id(line))
            if text is None:
                text = texts[id(line)] = "\t".join(map(str, line))
            yield f"{key}\t{text}"


def _copy(table: str, columns: Sequence[str], rows: Iterable[str]) -> None:
    """Write rows by COPY as text, None as None. Nothing needs escaping: numbers, dates and names of our own."""
    statement = f"COPY {table} ({', '.join(columns)}) FROM STDIN (NULL 'None')"
    remaining = iter(rows)
    with connection.wrap_database_errors, connection.cursor() as cursor, cursor.copy(statement) as copy:
        while block := list(islice(remaining, ROWS_A_WRITE)):
            copy.write("\n".join(block) + "\n")


ROWS_A_WRITE = 2_000
