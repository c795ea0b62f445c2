"""What documents show: their parties, days, terms, language and sentences, as they are when they are issued."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import Account, User
from billing.actions import issue_credit_note, run_bills, save_issuer, set_billing_profile
from billing.documents.paper import Paper, credit_note_paper, invoice_paper
from billing.models import CreditNote, Invoice, InvoiceDocument, Presentation
from subscriptions.models import Item
from tests.billing.bills import APRIL, IN_APRIL, IN_MAY, MARCH, Customers, bill, called, customer, march
from tests.billing.documents.parties import issuer, profile
from tests.billing.papers import written_in

pytestmark = pytest.mark.usefixtures("answered")  # a number that is called


def paper_of(account: Account, month: date = MARCH) -> Paper:
    return invoice_paper(Invoice.objects.get(account=account, month=month))


def details(paper: Paper) -> dict[str, str]:
    return dict(paper.details)


def test_an_invoice_names_both_parties_its_days_and_how_to_pay(charged: Account, owner: User) -> None:
    set_billing_profile(charged, profile(), by=owner)
    march(charged, owner)
    bill()
    paper = paper_of(charged)
    assert (paper.title, paper.lang, paper.brand) == ("Invoice INV-000001", "en", "HostPilot")
    assert [(party.title, list(party.lines)) for party in paper.parties] == [
        (
            "From",
            [
                "Example Telecom, Inc.",
                "1 Main Street",
                "Springfield, IL 62701",
                "United States of America",
                "Tax number: 12-3456789",
            ],
        ),
        (
            "Bill to",
            [
                "Acme Support, LLC",
                "500 Market Street",
                "Floor 3",
                "Portland, OR 97201",
                "United States of America",
                "Tax number: 98-7654321",
            ],
        ),
    ]
    assert details(paper) == {
        "Invoice date": "April 2, 2026",
        "Due date": "May 2, 2026",
        "Billing month": "March 2026 (America/New_York)",
        "Account": "100001",
        "Purchase order": "PO-7",
    }
    assert [(note.title, note.text) for note in paper.notes] == [
        (
            "How to pay",
            "Please pay $76.76 by May 2, 2026.\nBy bank transfer to account 000123456789 at Example Bank.\n"
            "Payments are not shown on this document.",
        ),
        ("Questions about this document?", "Accounts receivable · billing@example.com"),
    ]
    assert [(total.label, total.amount) for total in paper.totals] == [("Total (USD, excluding taxes)", "$76.76")]


def test_without_a_profile_it_is_addressed_to_the_company(charged: Account) -> None:
    bill()
    paper = paper_of(charged)
    assert list(paper.parties[1].lines) == ["Acme Support"]
    assert "Purchase order" not in details(paper)


def test_the_language_is_the_profiles_and_items_have_spanish_names(charged: Account, owner: User) -> None:
    Item.objects.filter(sku="cc-pro").update(name_es="Centro de contacto Pro")
    set_billing_profile(charged, profile(language="es"), by=owner)
    march(charged, owner)
    bill()
    paper = paper_of(charged)
    assert (paper.title, paper.lang) == ("Factura INV-000001", "es")
    assert [line.title for line in paper.lines] == [
        "Centro de contacto Pro",
        "Minutos de números gratuitos, Pay-per-use",  # without a Spanish name it is the English one
    ]
    assert paper.lines[0].how == "2 puestos × $70.00 × 16 de 31 días = $72.26"
    assert details(paper)["Fecha de vencimiento"] == "2 de mayo de 2026"
    assert "Estados Unidos" in str(paper.parties)


def test_terms_and_issuer_are_those_of_the_day_of_issue(charged: Account, biller: User) -> None:
    save_issuer(issuer(effective_from=date(2026, 5, 1)), by=biller, now=IN_APRIL)
    bill()
    bill(APRIL, IN_MAY)
    before, after = paper_of(charged), paper_of(charged, APRIL)
    assert [paper.parties[0].lines[0] for paper in (before, after)] == ["Example Telecom, Inc.", "Other Telecom, Inc."]
    assert details(after)["Due date"] == "May 12, 2026"
    assert "Canada" in after.parties[0].lines


def test_the_day_of_issue_is_the_accounts_own(
    make_account: Callable[..., Account], owner: User, member: User, catalogue: None
) -> None:
    east = make_account("100300", owner=owner, timezone="Asia/Tokyo")
    west = make_account("100301", owner=owner, timezone="America/Los_Angeles")
    for account in (east, west):
        customer(account, by=owner, team=member)
    run_bills(MARCH, now=datetime(2026, 4, 2, 2, tzinfo=UTC))
    assert [details(paper_of(account))["Invoice date"] for account in (east, west)] == [
        "April 2, 2026",
        "April 1, 2026",
    ]


def test_documents_share_a_presentation_until_something_in_it_changes(customers: Customers, settings: Any) -> None:
    made = customers(3)
    bill()
    assert Presentation.objects.count() == 1
    assert InvoiceDocument.objects.count() == len(made)
    settings.BRAND_NAME = "Renamed"
    bill(APRIL, IN_MAY)
    assert Presentation.objects.count() == 2
    assert {paper_of(account).brand for account in made} == {"HostPilot"}
    assert {paper_of(account, APRIL).brand for account in made} == {"Renamed"}


def test_a_credit_note_is_a_document_of_its_own(charged: Account, owner: User, biller: User, supporter: User) -> None:
    march(charged, owner)
    bill()
    invoice = Invoice.objects.get()
    note = issue_credit_note(charged, invoice, amount=Decimal("6.76"), reason="Line was down", by=biller, now=IN_APRIL)
    paper = credit_note_paper(note)
    assert paper.title == "Credit note CN-000001"
    assert details(paper) == {"Date": "April 2, 2026", "For invoice": "INV-000001", "Account": "100001"}
    assert [(line.title, line.how, line.days, line.amount) for line in paper.lines] == [
        ("Credit for INV-000001", "Line was down", "March 2026", "$6.76")
    ]
    assert [total.label for total in paper.totals] == ["Credited (USD, excluding taxes)"]
    client = Client()
    client.force_login(owner)
    answer = client.get("/accounts/100001/billing/credit-notes/1/pdf/")
    assert answer["Content-Disposition"] == 'inline; filename="CN-000001.pdf"'
    assert "Credit for INV-000001" in written_in(answer.content)
    shown = client.get("/accounts/100001/billing/invoices/1/").content.decode()
    assert "/accounts/100001/billing/credit-notes/1/pdf/" in shown
    assert "Remaining: the total less the credit notes. Payments are not shown here." in shown
    assert "$70.00" in shown
    client.force_login(supporter)
    page = reverse("admin:billing_creditnote_change", args=[note.pk])
    assert "Credit note CN-000001" in client.get(page).content.decode()
    pdf = client.get(f"{page.removesuffix('change/')}pdf/").content
    assert "Line was down" in written_in(pdf)


@pytest.mark.parametrize("number", ["2", "0", "9" * 30])
def test_somebody_elses_credit_note_is_not_found(
    charged: Account, owner: User, biller: User, make_user: Callable[..., User], number: str
) -> None:
    bill()
    issue_credit_note(charged, Invoice.objects.get(), amount=Decimal(1), reason="Sorry", by=biller, now=IN_APRIL)
    client = Client()
    client.force_login(owner)
    assert client.get(f"/accounts/100001/billing/credit-notes/{number}/pdf/").status_code == 404
    client.force_login(make_user("stranger@example.com"))
    assert client.get("/accounts/100001/billing/credit-notes/1/pdf/").status_code == 404
    assert CreditNote.objects.count() == 1


def test_late_calls_are_told_on_the_document_of_the_next_month(charged: Account, owner: User) -> None:
    march(charged, owner)
    bill()
    called("late", minutes=10)
    bill(APRIL, IN_MAY)
    paper = paper_of(charged, APRIL)
    assert "Toll-free minutes, Pay-per-use, adjustment for March 2026" in [line.title for line in paper.lines]
