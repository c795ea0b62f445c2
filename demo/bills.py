"""The second part of the story: calls of two months are imported and billed, a month in onboarding and the next one."""

import csv
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.core.management import CommandError
from rich.table import Table

from accounts.models import Account, PhoneNumber
from billing.actions import run_bills
from billing.calls.importing import import_calls
from billing.documents.files import pdf_file
from billing.documents.paper import invoice_paper, printed_invoices
from billing.models import Invoice, Layout
from billing.pricing.charges import month_after
from core.money import money
from demo.story import Storyteller

OUTBOX = settings.PROJECT / "outbox"


def show_bills(story: Storyteller) -> None:
    """Import the calls of an account's two months, bill both, show the invoices, and write the last one as a PDF."""
    account, (first, second) = story.provider.billed, story.provider.months
    story.console.print()
    story.step(f"{account} was in onboarding in {first:%B} and went live on {second:%B} 16. Its calls come as a file.")
    calls = write_calls(account, first, second)
    with calls.open("rb") as stream:
        received = import_calls(stream, name=calls.name, layout=Layout.OWN, by=story.provider.administrator)
    story.say("✓", f"{received.added} calls of {shown(calls)} are in, {received.rejected} rows were rejected", "green")

    story.step(f"{first:%B} is billed: only toll-free minutes.")
    run_bills(first)
    show_invoice(story, invoice_of(account, first))

    story.step(f"{second:%B} is billed: from the day of activation on, everything it holds.")
    run_bills(second)
    invoice = invoice_of(account, second)
    show_invoice(story, invoice)
    story.say("✓", f"As a document: {shown(write_document(invoice))}", "green")


def write_calls(account: Account, first: date, second: date) -> Path:
    """Write a file of calls to the account's toll-free number, from most days of both months, and return its path."""
    OUTBOX.mkdir(exist_ok=True)
    path = OUTBOX / "demo-calls.csv"
    number = PhoneNumber.objects.get(account=account).number
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(["call_id", "to", "from", "started_at", "seconds"])
        for started, seconds in _calls(account, first, second):
            rows.writerow([f"demo-{started:%Y%m%d-%H%M}", number.as_e164, "+12125550199", started.isoformat(), seconds])
    return path


def _calls(account: Account, first: date, second: date) -> Iterator[tuple[datetime, int]]:
    """Yield the start and the seconds of each call. Their number differs from day to day, but is never random."""
    day = first.replace(day=4)
    while day < month_after(second):
        for turn in range((day.day * 7) % 5):
            started = datetime(day.year, day.month, day.day, 9 + turn * 2, (day.day * 13) % 60, tzinfo=account.zone)
            yield started, 45 + (day.day * 97 + turn * 211) % 1500
        day += timedelta(days=1)


def invoice_of(account: Account, month: date) -> Invoice:
    """Return the month's invoice. Raises CommandError if the run issued none."""
    found = printed_invoices(Invoice.objects.filter(account=account, month=month)).first()
    if found is None:
        raise CommandError("The story went wrong: the month was not billed.")
    return found


def show_invoice(story: Storyteller, invoice: Invoice) -> None:
    title = f"{invoice.title} for {invoice.month:%B %Y}, USD without taxes"
    table = Table("Item", "Days", "How", title=title, title_justify="left", show_footer=True)
    table.add_column("Amount", footer=money(invoice.total), justify="right")
    for line in invoice_paper(invoice).lines:
        table.add_row(line.title, line.days, line.how.removesuffix(f" = {line.amount}"), line.amount)
    story.console.print(table)


def write_document(invoice: Invoice) -> Path:
    """Write the invoice as a PDF, and return its path."""
    path = OUTBOX / f"{invoice.title}.pdf"
    path.write_bytes(pdf_file(invoice))
    return path


def shown(path: Path) -> str:
    """Return a path relative to the project's folder, as text."""
    return str(path.relative_to(settings.PROJECT))
