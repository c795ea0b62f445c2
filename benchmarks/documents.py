"""How long documents take as PDFs from the stored rows, against Typst alone with ready texts, as emails, and to verify.

One process on one core prints the invoices of a bill run, of six lines each.
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
from billing.documents.verifying import verified
from billing.models import Invoice
from core.outbox.delivery import send_due

NOW = datetime(2026, 11, 15, 12, tzinfo=UTC)
MOST_PRINTED = 1_000
MOST_SENT = 10_000
# Each customer has a billing profile, so each document contains an XML too.
PROFILES = """
    INSERT INTO billing_billingprofile (account_id, version, legal_name, street, street_2, city, region, postal_code,
        country, tax_number, purchase_order, invoice_email, language, saved_by_id)
    SELECT a.id, 1, a.company || ', LLC', '500 Market Street', '', 'Portland', 'OR', '97201', 'US', '', '', '', 'en',
        c.user_id
    FROM accounts_account a JOIN accounts_contact c ON c.account_id = a.id"""


def run(sizes: Sequence[int], rounds: int = 3) -> None:
    """Print a table and a line of JSON for each number of accounts.

    A round prints the first 1,000 documents, sends the first 10,000, and verifies all.
    """
    with throw_away_database():
        for size in sizes:
            populate(size)
            _execute(PROFILES)
            run_bills(MONTH, now=NOW)
            papers = [invoice_paper(each).as_json() for each in _invoices(MOST_PRINTED)]
            ready = [(paper["template"], inputs_of(paper)) for paper in papers]
            ways: dict[str, Callable[[], int]] = {
                "from the rows, with XML": _print_from_rows,
                "Typst alone": partial(_print_ready, ready),
                "as an email": _send,
                "verified": _verify,
            }
            taken: dict[str, list[float]] = {name: [] for name in ways}
            for _ in range(rounds):
                for name, way in ways.items():
                    start = time.perf_counter()
                    count = way()
                    taken[name].append((time.perf_counter() - start) / count)
            _report(size, {name: statistics.median(each) for name, each in taken.items()})


def _print_from_rows() -> int:
    invoices = _invoices(MOST_PRINTED)
    for invoice in invoices:
        pdf_file(invoice)
    return len(invoices)


def _print_ready(ready: Sequence[tuple[int, dict[str, str]]]) -> int:
    for template, inputs in ready:
        print_pdf(template, inputs)
    return len(ready)


def _send() -> int:
    """Queue an email for each document and send it, as a file into a temporary folder."""
    numbers = list(Invoice.objects.order_by("number").values_list("number", flat=True)[:MOST_SENT])
    _execute("TRUNCATE billing_delivery, core_outgoingemail CASCADE")
    enqueue_invoices(range(min(numbers), max(numbers) + 1), now=NOW)
    with TemporaryDirectory() as folder:
        report = send_due(mail=EmailBackend(file_path=folder))
    assert report.sent == len(numbers), report
    return report.sent


def _verify() -> int:
    parts = list(verified())
    assert not any(part.wrong or part.shared for part in parts)
    return sum(part.checked for part in parts)


def _invoices(most: int) -> Sequence[Invoice]:
    return list(printed_invoices(Invoice.objects.order_by("pk"))[:most])


def _execute(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


def _report(accounts: int, taken: dict[str, float]) -> None:
    facts = {
        "name": "documents",
        "accounts": accounts,
        "per_second_and_core": round(1 / taken["from the rows, with XML"], 1),
        "ratio": round(taken["Typst alone"] / taken["from the rows, with XML"], 2),
        "emails_per_second": round(1 / taken["as an email"], 1),
        "verified_per_second": round(1 / taken["verified"]),
        "memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        "machine": description(),
    }
    table = Table("Way", "ms a document", title=f"Documents of {accounts:,} accounts")
    for name, seconds in taken.items():
        table.add_row(name, f"{seconds * 1000:.2f}")
    Console().print(table)
    print(json.dumps(facts))
