"""The emails with documents: worded and printed when they are sent, from what was kept with the document."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation

from accounts.models import Account, Contact
from billing.deliveries.enqueue import WHO
from billing.documents.files import paper_of, pdf_with, xml_of
from billing.documents.paper import Paper
from billing.models import BillingProfile, Delivery, Invoice
from core.dates import day_in_words, month_in_words
from core.money import money
from core.outbox.kinds import Obsolete
from core.outbox.models import OutgoingEmail
from core.outbox.sender import sender
from onboarding.notices.messages import AUTOMATIC, one_line
from onboarding.notices.plain_text import plain_text

TEMPLATE = "billing/document_email.html"


class DocumentBatch:
    """Emails with documents that the outbox delivers together."""

    def __init__(self, emails: Sequence[OutgoingEmail]) -> None:
        found = Delivery.objects.filter(email__in=emails).select_related(
            "email",
            "to",
            "invoice__account",
            "invoice__document__presentation",
            "invoice__document__issuer",
            "invoice__document__profile",
            "note__invoice__account",
            "note__document__presentation",
            "note__document__issuer",
            "note__document__profile",
        )
        self.deliveries = {delivery.pk: delivery for delivery in found}
        accounts = {account_of(delivery).pk for delivery in found}
        wishes = BillingProfile.objects.current().filter(account__in=accounts, xml_by_email=True)
        self.want_xml = set(wishes.values_list("account_id", flat=True))

    def prepare(self, email: OutgoingEmail, now: datetime) -> EmailMultiAlternatives | Obsolete:
        """Return the message, or why it must not be sent: the person is no longer a contact who gets documents."""
        delivery = self.deliveries[email.pk]
        account = account_of(delivery)
        if delivery.to:
            contacts = Contact.objects.filter(account=account, user=delivery.to, role__in=WHO, user__is_active=True)
            if not contacts.exists():
                return Obsolete("The recipient is no longer an active owner or billing manager of the account.")
        return message(delivery, account, wants_xml=account.pk in self.want_xml)


def account_of(delivery: Delivery) -> Account:
    """Return the account that a document is for."""
    invoice: Invoice = delivery.invoice or delivery.note.invoice
    return invoice.account


def message(delivery: Delivery, account: Account, *, wants_xml: bool) -> EmailMultiAlternatives:
    """Return the email with the document as a PDF, and as an XML file if the customer wants it and there is one.

    It is in the recipient's language, and to the invoice email in the document's; the document itself stays in its own.
    The Message-ID is always the same, so that mail systems can recognize a duplicate.
    """
    issued = delivery.invoice or delivery.note
    paper, xml = paper_of(issued), xml_of(issued)
    language = delivery.to.language if delivery.to else paper.lang
    with translation.override(language):
        context = _context(delivery, account, paper, language)
        context["subject"] = one_line(render_to_string(TEMPLATE, {**context, "part": "subject"}))
        html = render_to_string(TEMPLATE, context).strip() + "\n"
    mail = EmailMultiAlternatives(
        subject=context["subject"],
        body=plain_text(html),
        from_email=sender(),
        to=[delivery.to.email if delivery.to else delivery.email.address],
        alternatives=[(html, "text/html")],
        headers={**AUTOMATIC, "Message-ID": message_id(delivery), "Content-Language": language},
    )
    mail.attach(f"{paper.number}.pdf", pdf_with(xml, paper), "application/pdf")
    if xml is not None and wants_xml:
        mail.attach(f"{paper.number}.xml", xml, "application/xml")
    return mail


def message_id(delivery: Delivery) -> str:
    """Return the permanent Message-ID. The time at which the email was queued makes it unique across databases."""
    queued = f"{delivery.email.created_at:%Y%m%d%H%M%S%f}"
    return f"<document.{delivery.pk}.{queued}@{urlsplit(settings.SITE_URL).hostname}>"


def _context(delivery: Delivery, account: Account, paper: Paper, language: str) -> dict[str, Any]:
    invoice: Invoice = delivery.invoice or delivery.note.invoice
    document = delivery.invoice.document if delivery.invoice else delivery.note.document
    due_on = delivery.invoice.due_on if delivery.invoice else None
    return {
        "title": paper.number,
        "invoice": invoice,
        "note": delivery.note,
        "company": one_line(document.company),
        "number": account.number,
        "name": one_line(delivery.to.first_name) if delivery.to else "",
        "has_login": delivery.to is not None,
        "issuer": one_line(paper.author),
        "amount": money(delivery.note.amount if delivery.note else invoice.total),
        "month": month_in_words(invoice.month),
        "due": day_in_words(due_on) if due_on else "",
        "brand": settings.BRAND_NAME,
        "language": language,
        "link": settings.SITE_URL + reverse("invoice", args=[account.number, invoice.number]),
    }
