"""How long a document takes as a PDF from the stored rows, and as an email, against Typst alone with ready texts.

One process on one core prints the invoices of a bill run. They have five lines on average, as those of the bill run.
"""

import json
import resource
import statistics
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from tempfile import TemporaryDirectory

from django.core.mail.backends.filebased import EmailBackend
from django.db import connection
from rich.console import Console
from rich.table import Table

from benchmarks.accounts import MONTH, populate
from benchmarks.machine import description, throw_away_database
from billing.actions.run_bills import run_bills
from billing.deliveries.enqueue import enqueue_invoices
from billing.documents.files import pdf_file
from billing.documents.paper import invoice_paper, printed_invoices
from billing.documents.pdf import inputs_of, print_pdf
from billing.models import Invoice
from core.outbox.delivery import send_due

NOW = datetime(2026, 11, 15, 12, tzinfo=UTC)
MOST = 1_000  # documents of a round


def run(sizes: Sequence[int], rounds: int = 3) -> None:
    """Print a table and a line of JSON for each number of documents, of which no round prints more than MOST."""
    with throw_away_database():
        for size in sorted({min(size, MOST) for size in sizes}):
            populate(size)
            run_bills(MONTH, now=NOW)
            papers = [invoice_paper(each).as_json() for each in _invoices()]
            ready = [(paper["template"], inputs_of(paper)) for paper in papers]
            taken: dict[str, list[float]] = {"from the rows": [], "as an email": [], "Typst alone": []}
            for _ in range(rounds):
                taken["from the rows"].append(_seconds(_print_from_rows))
                taken["as an email"].append(_seconds(_send))
                taken["Typst alone"].append(_seconds(partial(_print_ready, ready)))
            _report(len(ready), {name: statistics.median(seconds) for name, seconds in taken.items()})


def _print_from_rows() -> None:
    for invoice in _invoices():
        pdf_file(invoice)


def _send() -> None:
    """Queue an email for each document and send it, as a file into a temporary folder."""
    numbers = [each.number for each in _invoices()]
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE billing_delivery, core_outgoingemail CASCADE")
    enqueue_invoices(range(min(numbers), max(numbers) + 1), now=NOW)
    with TemporaryDirectory() as folder:
        report = send_due(mail=EmailBackend(file_path=folder))
    assert report.sent == len(numbers), report


def _print_ready(ready: Sequence[tuple[int, dict[str, str]]]) -> None:
    for template, inputs in ready:
        print_pdf(template, inputs)


def _invoices() -> Sequence[Invoice]:
    return list(printed_invoices(Invoice.objects.order_by("pk")))


def _report(count: int, taken: dict[str, float]) -> None:
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    facts = {
        "name": "documents",
        "documents": count,
        "per_second_and_core": round(count / taken["from the rows"], 1),
        "ratio": round(taken["Typst alone"] / taken["from the rows"], 2),
        "emails_per_second": round(count / taken["as an email"], 1),
        "memory_mb": memory,
        "machine": description(),
    }
    table = Table("Way", "ms a document", title=f"{count:,} documents as PDF")
    for name, seconds in taken.items():
        table.add_row(name, f"{seconds / count * 1000:.1f}")
    Console().print(table)
    print(json.dumps(facts))


def _seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start
