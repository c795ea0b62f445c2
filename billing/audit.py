"""Events about bills in the audit log: invoices and credit notes that were issued."""

from decimal import Decimal
from typing import Any

from django.db.models import CharField, QuerySet
from django.db.models.functions import Cast
from django.utils.translation import gettext, gettext_noop

from accounts.events.sources import Entry, Source
from accounts.events.values import Event, EventKind
from accounts.models import Account
from accounts.verbs import OPEN_PAGE
from billing.models import CreditNote, Invoice
from core.groups import BILLING_TEAM
from core.money import money

VERBS: dict[str, str] = {}
HIDDEN_FROM_CUSTOMERS = {
    "correct_timezone": "Correct the time zone",
    "release_bill": "Release a held bill",
    "reject_bill": "Reject a held bill",
    "issue_credit_note": "Issue a credit note",
    "import_calls": "Import calls",
    "void_calls": "Void calls",
    "take_record": "Take a call record set aside",
    "dismiss_record": "Dismiss a call record set aside",
    "dismiss_reject": "Dismiss a rejected call",
}
FORMER_NAMES = {
    "accounts_account_correct_timezone": "correct_timezone",
    **dict.fromkeys(
        ("running_month", "invoices", "invoice_page", "invoice_pdf", "usage", "usage_csv"),
        OPEN_PAGE,
    ),
}
REFUSALS: dict[str, str] = {}


class InvoiceSource(Source):
    kind = EventKind.BILLING
    at = "issued_at"
    user = ""

    def rows(self, account: Account) -> QuerySet[Any]:
        return Invoice.objects.filter(account=account)

    def columns(self) -> dict[str, Any]:
        return {"number": "number", "amount": Cast("total", CharField())}

    def event(self, account: Account, entry: Entry) -> Event:
        title = Invoice(number=entry.now["number"]).title
        return self.described(
            account, entry, gettext_noop("Invoice issued"), title, note=money(Decimal(entry.now["amount"]))
        )


class CreditNoteSource(Source):
    kind = EventKind.BILLING
    at = "at"
    user = "by"
    staff = BILLING_TEAM

    def rows(self, account: Account) -> QuerySet[Any]:
        return CreditNote.objects.filter(invoice__account=account)

    def columns(self) -> dict[str, Any]:
        return {"number": "number", "invoice": "invoice__number", "amount": Cast("amount", CharField())}

    def event(self, account: Account, entry: Entry) -> Event:
        title = CreditNote(number=entry.now["number"]).title
        facts = {"amount": money(Decimal(entry.now["amount"])), "invoice": Invoice(number=entry.now["invoice"]).title}
        note = gettext("%(amount)s of %(invoice)s") % facts
        return self.described(account, entry, gettext_noop("Credit note issued"), title, note=note)


SOURCES = [InvoiceSource(), CreditNoteSource()]
