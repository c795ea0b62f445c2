"""The admin's pages of invoices and bill runs: searches, each amount with its arithmetic, and no way to write."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import Account, PhoneNumber, User
from billing.actions import issue_credit_note, run_bills
from billing.models import BillRun, FailedBill, Invoice, InvoiceLine
from onboarding.actions import activate
from subscriptions.actions import install
from tests.billing.bills import IN_APRIL, IN_MAY, MARCH, buy, invoiced
from tests.conftest import INSTALLED
from tests.remembering import remembered

LIST = "/admin/billing/invoice/"


@pytest.fixture
@remembered
def invoice(active: Account, answered: PhoneNumber, owner: User) -> Invoice:
    return invoiced(active, owner)


@pytest.fixture
def client(supporter: User) -> Client:
    client = Client()
    client.force_login(supporter)
    return client


@pytest.fixture
def make_billed(
    make_account: Callable[..., Account], owner: User, member: User, catalogue: None
) -> Callable[..., Account]:
    def make(number: str, **fields: Any) -> Account:
        account = make_account(number, owner=owner, **fields)
        install(account, edition="cc-pro", by=owner, now=INSTALLED)
        activate(account, by=member, reason="Ready", now=INSTALLED)
        buy(account, owner, now=INSTALLED, seats=1)
        return account

    return make


def address(name: str, invoice: Invoice) -> str:
    return reverse(f"admin:billing_invoice_{name}", args=[invoice.pk])


def listed(client: Client, **query: str) -> list[int]:
    answer = client.get(LIST, query)
    assert answer.status_code == 200
    return [row.number for row in answer.context["cl"].result_list]


def test_invoices_are_found_by_number_account_company_and_month(
    invoice: Invoice, make_billed: Callable[..., Account], client: Client
) -> None:
    make_billed("100123", company="Zed & Sons")
    run_bills(MARCH, now=IN_APRIL)
    run_bills(now=IN_MAY)
    assert listed(client) == [4, 3, 2, 1]
    for term in ("INV-000001", "inv-1", "INV1", "1", " 0001 ", "000001"):
        assert listed(client, q=term) == [1], term
    assert listed(client, q="100001") == [3, 1]
    assert listed(client, q="zed & S") == [4, 2]
    for term in ("INV-000009", "INV-", "9" * 30, "'", "%", "\\"):
        assert listed(client, q=term) == [], term
    assert listed(client, month="2026-04") == [4, 3]
    assert listed(client, month="2026-03", q="acme") == [1]
    text = client.get(LIST).content.decode()
    for said in ("April 2026", "INV-000001", "$76.76", "Acme Support"):
        assert said in text


@pytest.mark.parametrize("month", ["x", "2026-13", "2026", "2026-03-01", "0000-01", "99999-01", "-", "%00"])
def test_a_month_that_is_none_is_no_error_page(invoice: Invoice, client: Client, month: str) -> None:
    assert client.get(f"{LIST}?month={month}", follow=True).status_code == (400 if month == "%00" else 200)


def test_the_page_shows_each_line_with_its_arithmetic_and_what_was_given_back(
    invoice: Invoice, biller: User, client: Client
) -> None:
    issue_credit_note(invoice.account, invoice, amount=Decimal("6.76"), reason="<b>Line</b> was down", by=biller)
    text = client.get(address("change", invoice)).content.decode()
    for said in (
        "2 seats × $70.00 × 16 of 31 days = $72.26",
        "100 minutes × $0.045 per minute = $4.50",
        "Mar 16–31, 2026",
        "Contact Center Pro",
        "CN-000001",
        "&lt;b&gt;Line&lt;/b&gt; was down",
        "$70.00",
    ):
        assert said in text
    assert "Give money back" not in text


def test_whoever_sees_the_invoice_gets_its_pdf(
    invoice: Invoice, client: Client, make_user: Callable[..., User]
) -> None:
    answer = client.get(address("pdf", invoice))
    assert answer.status_code == 200
    assert answer["Content-Type"] == "application/pdf"
    assert answer.content.startswith(b"%PDF")
    assert answer["Content-Disposition"] == 'inline; filename="INV-000001.pdf"'
    client.force_login(make_user("new@example.com", is_staff=True))
    assert client.get(address("pdf", invoice)).status_code == 403
    assert client.get(address("change", invoice)).status_code == 403


def test_buttons_are_for_those_who_may(invoice: Invoice, biller: User, client: Client) -> None:
    assert "Give money back" not in client.get(address("change", invoice)).content.decode()
    client.force_login(biller)
    text = client.get(address("change", invoice)).content.decode()
    assert "Give money back" in text
    assert address("pdf", invoice) in text


@pytest.mark.parametrize("key", ["x", "0", "-1", "999999999", "9" * 30, "%00", "1%00", "٣"])
@pytest.mark.parametrize(
    "name", ["invoice/{}/pdf/", "invoice/{}/credit/", "billonhold/{}/release/", "billonhold/{}/reject/"]
)
def test_junk_keys_are_not_found(
    invoice: Invoice, make_user: Callable[..., User], client: Client, key: str, name: str
) -> None:
    client.force_login(make_user("root@example.com", is_staff=True, is_superuser=True))
    assert client.get(f"/admin/billing/{name.format(key)}", follow=True).status_code in (200, 400, 404)
    assert client.post(f"/admin/billing/{name.format(key)}", {"note": "x"}).status_code in (302, 400, 404)


def test_issued_invoices_are_only_read(invoice: Invoice, make_user: Callable[..., User], client: Client) -> None:
    client.force_login(make_user("root@example.com", is_staff=True, is_superuser=True))
    before = list(Invoice.objects.values()), list(InvoiceLine.objects.values())
    assert client.post(address("change", invoice), {"total": "1"}).status_code == 403
    assert client.post(address("delete", invoice), {"post": "yes"}).status_code == 403
    assert client.post(LIST + "add/", {"total": "1"}).status_code == 403
    client.post(LIST, {"action": "delete_selected", "_selected_action": [invoice.pk], "post": "yes"})
    assert (list(Invoice.objects.values()), list(InvoiceLine.objects.values())) == before


@pytest.mark.parametrize("path", [LIST, LIST + "?q=company", "/admin/billing/billrun/", "page"])
def test_queries_do_not_grow(
    path: str,
    invoice: Invoice,
    make_billed: Callable[..., Account],
    owner: User,
    client: Client,
    django_assert_max_num_queries: Any,
    django_assert_num_queries: Any,
) -> None:
    def ask() -> None:
        assert (
            client.get(address("change", Invoice.objects.latest("pk")) if path == "page" else path).status_code == 200
        )

    make_billed("200001")
    run_bills(MARCH, now=IN_APRIL)
    ask()
    with django_assert_max_num_queries(25) as few:
        ask()
    for number in range(5):
        account = make_billed(str(300000 + number))
        buy(account, owner, now=IN_APRIL, addons=frozenset({"addon-crm", "addon-wfm"}))
    run_bills(MARCH, now=IN_APRIL)
    run_bills(now=IN_MAY)
    with django_assert_num_queries(len(few)):
        ask()


def test_a_run_shows_whom_it_set_aside(active: Account, client: Client) -> None:
    run = BillRun.objects.create(month=MARCH, started_at=IN_APRIL, accounts=7, failed=1)
    FailedBill.objects.create(run=run, account=active, reason="cc-pro has no price on 2026-03-16.")
    text = client.get(reverse("admin:billing_billrun_change", args=[run.pk])).content.decode()
    for said in ("March 2026", "Stopped, or going on", "Acme Support", "cc-pro has no price on 2026-03-16."):
        assert said in text
    assert "no price" in client.get("/admin/billing/failedbill/?q=acme").content.decode()
