"""Events about bills in the audit log: invoices and credit notes that were issued, and whom they are addressed to."""

from decimal import Decimal
from typing import Any, ClassVar

from django.db.models import CharField, F, JSONField, OuterRef, QuerySet, Subquery
from django.db.models.functions import Cast, JSONObject
from django.utils.translation import gettext, gettext_lazy, gettext_noop
from django_countries import countries

from accounts.events.sources import Entry, Field, Source, one_of
from accounts.events.values import Event, EventKind, FieldChange
from accounts.models import Account
from accounts.models.user import Language
from accounts.verbs import OPEN_PAGE
from billing.models import BillingProfile, CreditNote, Invoice
from core.groups import BILLING_TEAM
from core.money import money

VERBS = {"set_billing_profile": gettext_noop("Change the billing profile")}
HIDDEN_FROM_CUSTOMERS = {
    "correct_timezone": "Correct the time zone",
    "release_bill": "Release a held bill",
    "reject_bill": "Reject a held bill",
    "issue_credit_note": "Issue a credit note",
    "send_document_again": "Send a document again",
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
YES_OR_NO = one_of(dict[Any, Any]({True: gettext_lazy("Yes"), False: gettext_lazy("No"), None: gettext_lazy("No")}))
FIELDS = {
    "legal_name": gettext_lazy("Legal name"),
    "street": gettext_lazy("Street"),
    "street_2": gettext_lazy("Second line of the address"),
    "city": gettext_lazy("City"),
    "region": gettext_lazy("State or region"),
    "postal_code": gettext_lazy("Postal code"),
    "country": gettext_lazy("Country"),
    "tax_number": gettext_lazy("Tax number"),
    "purchase_order": gettext_lazy("Purchase order number"),
    "invoice_email": gettext_lazy("Invoice email"),
    "language": gettext_lazy("Language of invoices"),
    "xml_by_email": gettext_lazy("Attach the XML file to emails"),
}


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


class BillingProfileSource(Source):
    """Versions of the billing profile; each shows what is different from the one before."""

    kind = EventKind.BILLING
    at = "saved_at"
    user = "saved_by"
    staff = gettext_noop("Our team")
    fields: ClassVar = {
        "legal_name": Field(gettext_noop("Legal name")),
        "street": Field(gettext_noop("Street")),
        "street_2": Field(gettext_noop("Second line of the address")),
        "city": Field(gettext_noop("City")),
        "region": Field(gettext_noop("State or region")),
        "postal_code": Field(gettext_noop("Postal code")),
        "country": Field(gettext_noop("Country"), lambda code: str(countries.name(code or ""))),
        "tax_number": Field(gettext_noop("Tax number")),
        "purchase_order": Field(gettext_noop("Purchase order number")),
        "invoice_email": Field(gettext_noop("Invoice email")),
        "language": Field(gettext_noop("Language of invoices"), one_of(dict[str, Any](Language.choices))),
        "xml_by_email": Field(gettext_noop("Attach the XML file to emails"), YES_OR_NO),
    }

    def rows(self, account: Account) -> QuerySet[Any]:
        return BillingProfile.objects.filter(account=account)

    def columns(self) -> dict[str, Any]:
        return {name: F(name) for name in self.fields}

    def before(self) -> Any:
        earlier = BillingProfile.objects.filter(account=OuterRef("account"), version__lt=OuterRef("version"))
        return Subquery(
            earlier.order_by("-version").values(state=JSONObject(**self.columns()))[:1], output_field=JSONField()
        )

    def event(self, account: Account, entry: Entry) -> Event:
        was = entry.was or {}
        both = (
            (name, field, field.words(was.get(name)), field.words(entry.now[name]))
            for name, field in self.fields.items()
        )
        changes = tuple(
            FieldChange(gettext(field.label), old, new, name) for name, field, old, new in both if old != new
        )
        action = gettext_noop("Billing profile changed") if was else gettext_noop("Billing profile added")
        return self.described(account, entry, action, entry.now["legal_name"], changes=changes)


SOURCES = [InvoiceSource(), CreditNoteSource(), BillingProfileSource()]
