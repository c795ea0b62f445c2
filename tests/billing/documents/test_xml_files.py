"""Where people get a document for machines: in its PDF, on its page, by email if they want it, in the export (R40)."""

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import facturx
import pytest
from django.core.mail import EmailMultiAlternatives
from django.core.management import call_command
from django.test import Client

from accounts.models import Account, Contact, Role, User
from billing.actions import issue_credit_note, send_document_again, set_billing_profile
from billing.documents.files import pdf_file, xml_of
from billing.models import BillingProfile, CreditNote, Invoice
from core.outbox.delivery import send_due
from tests.billing.bills import IN_APRIL, bill, march
from tests.billing.documents.parties import PROFILE, profile
from tests.billing.documents.standard import errors_in

pytestmark = pytest.mark.usefixtures("answered")  # a number that is called
XML = "/accounts/100001/billing/invoices/1/xml/"
NOTE_XML = "/accounts/100001/billing/credit-notes/1/xml/"


@pytest.fixture
def issue(charged: Account, owner: User, biller: User) -> Callable[..., Invoice]:
    """Return a function that issues an invoice and a credit note, with a billing profile or without."""

    def issue(wanted: BillingProfile | None) -> Invoice:
        if wanted:
            set_billing_profile(charged, wanted, by=owner)
        march(charged, owner)
        bill()
        invoice = Invoice.objects.get()
        issue_credit_note(charged, invoice, amount=Decimal(5), reason="Line was down", by=biller, now=IN_APRIL)
        return invoice

    return issue


@pytest.fixture
def customer(owner: User) -> Client:
    client = Client()
    client.force_login(owner)
    return client


def test_accounting_software_finds_it_in_the_pdf(issue: Callable[..., Invoice]) -> None:
    for issued in (issue(profile()), CreditNote.objects.get()):
        name, xml = facturx.get_xml_from_pdf(pdf_file(issued), check_xsd=True, check_schematron=False)
        assert (name, xml) == ("factur-x.xml", xml_of(issued))
        assert errors_in(xml) == []


def test_customers_get_it_on_the_page(issue: Callable[..., Invoice], customer: Client) -> None:
    invoice = issue(profile())
    page = customer.get("/accounts/100001/billing/invoices/1/").content.decode()
    assert XML in page
    assert NOTE_XML in page
    for address, issued in ((XML, invoice), (NOTE_XML, CreditNote.objects.get())):
        answer = customer.get(address)
        assert answer["Content-Type"] == "application/xml"
        assert answer["Content-Disposition"] == f'attachment; filename="{issued.title}.xml"'
        assert answer.content == xml_of(issued)


@pytest.mark.django_db(transaction=True)
def test_customers_see_when_both_were_sent(issue: Callable[..., Invoice], customer: Client) -> None:
    issue(None)
    page = "/accounts/100001/billing/invoices/1/"
    assert "Sent to" not in customer.get(page).content.decode()
    send_due()
    assert customer.get(page).content.decode().count("Sent to olivia@example.com on") == 2


def test_without_an_address_there_is_none(issue: Callable[..., Invoice], customer: Client, biller: User) -> None:
    invoice = issue(None)
    page = customer.get("/accounts/100001/billing/invoices/1/").content.decode()
    assert "/xml/" not in page
    assert [customer.get(address).status_code for address in (XML, NOTE_XML)] == [404, 404]
    assert facturx.get_xml_from_pdf(pdf_file(invoice)) == (False, False)
    staff = Client()
    staff.force_login(biller)
    answer = staff.get(f"/admin/billing/invoice/{invoice.pk}/xml/", follow=True)
    assert answer.redirect_chain == [(f"/admin/billing/invoice/{invoice.pk}/change/", 302)]
    assert "INV-000001 has no XML file: EN 16931 requires the customer&#x27;s address." in answer.content.decode()


def test_other_customers_find_nothing(issue: Callable[..., Invoice], make_user: Callable[..., User]) -> None:
    issue(profile())
    other = Client()
    other.force_login(make_user("other@example.com"))
    assert [other.get(address).status_code for address in (XML, NOTE_XML)] == [404, 404]
    tess = make_user("tess@example.com")
    Contact.objects.create(account=Account.objects.get(number="100001"), user=tess, role=Role.TECHNICAL)
    other.force_login(tess)
    assert [other.get(address).status_code for address in (XML, NOTE_XML)] == [403, 403]


def test_staff_who_see_the_document_get_it(
    issue: Callable[..., Invoice], biller: User, make_user: Callable[..., User]
) -> None:
    invoice, note = issue(profile()), CreditNote.objects.get()
    staff = Client()
    staff.force_login(biller)
    for issued, kind in ((invoice, "invoice"), (note, "creditnote")):
        answer = staff.get(f"/admin/billing/{kind}/{issued.pk}/xml/")
        assert answer.content == xml_of(issued)
    staff.force_login(make_user("new@example.com", is_staff=True))
    assert staff.get(f"/admin/billing/invoice/{invoice.pk}/xml/").status_code == 403


@pytest.mark.django_db(transaction=True)
def test_emails_have_it_if_the_customer_wants_it_now(
    issue: Callable[..., Invoice], owner: User, biller: User, mailoutbox: list[EmailMultiAlternatives]
) -> None:
    invoice = issue(profile(invoice_email=""))
    send_due()
    attached = [attachment[0] for mail in mailoutbox for attachment in mail.attachments]
    assert attached == ["INV-000001.pdf", "CN-000001.pdf"]
    set_billing_profile(invoice.account, profile(invoice_email="", xml_by_email=True), by=owner)
    mailoutbox.clear()
    send_document_again(invoice.account, invoice, by=biller)
    send_due()
    [mail] = mailoutbox
    assert [(name, kind) for name, _, kind in mail.attachments] == [
        ("INV-000001.pdf", "application/pdf"),
        ("INV-000001.xml", "application/xml"),
    ]
    assert mail.attachments[1][1] == xml_of(invoice)


def test_a_customer_asks_for_it_on_the_billing_profile(account: Account, customer: Client) -> None:
    page = "/accounts/100001/billing/profile/"
    posted: dict[str, Any] = {**PROFILE, "seen": 0}
    assert customer.post(page, {**posted, "xml_by_email": "on"}).status_code == 302
    assert BillingProfile.objects.of(account).xml_by_email
    assert "checked" in customer.get(page).content.decode()
    assert customer.post(page, {**posted, "seen": 1}).status_code == 302
    assert not BillingProfile.objects.of(account).xml_by_email
    log = customer.get("/accounts/100001/audit-log/").content.decode()
    assert "Attach the XML file to emails" in log


def test_the_export_writes_it_beside_the_pdf(issue: Callable[..., Invoice], tmp_path: Path) -> None:
    invoice, note = issue(profile()), CreditNote.objects.get()
    call_command("export_documents", "--month=2026-03", f"--to={tmp_path}", "--workers=1")
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "CN-000001.pdf", "CN-000001.xml", "INV-000001.pdf", "INV-000001.xml",
    ]  # fmt: skip
    for issued in (invoice, note):
        assert (tmp_path / f"{issued.title}.xml").read_bytes() == xml_of(issued)
        assert (tmp_path / f"{issued.title}.pdf").read_bytes() == pdf_file(issued)
