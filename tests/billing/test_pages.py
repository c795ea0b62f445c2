"""HostPilot's Billing pages: what they show to whom, and that no address leads to a server error (R18, I15)."""

import csv
import io
import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from accounts.models import Account, Contact, PhoneNumber, Role, User
from billing.actions import issue_credit_note, run_bills
from billing.models import Invoice
from core.clock import database_now
from core.csv_files import defused
from subscriptions.actions import install
from subscriptions.models import Price
from tests.billing.bills import BOUGHT, IN_APRIL, IN_MAY, buy, called, invoiced
from tests.billing.papers import written_in
from tests.conftest import INSTALLED
from tests.guarding import settle, sql

BILLING = "/accounts/100001/billing/"
PAGES = ["", "invoices/", "invoices/1/", "invoices/1/pdf/", "usage/", "usage/csv/"]


@pytest.fixture
def invoice(active: Account, answered: PhoneNumber, owner: User) -> Invoice:
    return invoiced(active, owner)


@pytest.fixture
def customer(client: Client, owner: User) -> Client:
    client.force_login(owner)
    return client


def text(client: Client, where: str, **query: str) -> str:
    answer = client.get(BILLING + where, query)
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


def test_the_running_month_and_the_latest_invoice(invoice: Invoice, customer: Client) -> None:
    shown = text(customer, "")
    assert "$140.00" in shown  # two seats for the current month, whichever it is
    assert "2 seats × $70.00 = $140.00" in shown
    assert "INV-000001" in shown
    assert "$76.76" in shown
    assert "Kept free by onboarding<" in shown


def test_in_onboarding_what_is_kept_free_grows(installed: Account, owner: User, customer: Client) -> None:
    shown = text(customer, "")
    assert "Nothing is owed for this month so far." in shown
    assert "Kept free by onboarding so far" in shown
    assert '<p class="figure">$0.00' in shown
    buy(installed, owner, now=INSTALLED.replace(day=6), seats=2)
    assert '<p class="figure">$0.00' not in text(customer, "")


def test_without_contact_center_nothing_is_charged(account: Account, customer: Client) -> None:
    assert "Nothing is charged" in text(customer, "")
    assert "No invoice yet" in text(customer, "invoices/")
    assert "No toll-free minutes" in text(customer, "usage/")


def test_invoices_and_their_lines(invoice: Invoice, owner: User, customer: Client, biller: User) -> None:
    run_bills(now=IN_MAY)
    shown = text(customer, "invoices/")
    assert shown.index("INV-000002") < shown.index("INV-000001")
    issue_credit_note(invoice.account, invoice, amount=Decimal(5), reason="<i>Sorry</i>", by=biller)
    shown = text(customer, "invoices/1/")
    for said in (
        "2 seats × $70.00 × 16 of 31 days = $72.26",
        "100 minutes × $0.045 per minute = $4.50",
        "$76.76",
        "Example Telecom, Inc.",
        "Please pay $76.76 by May 2, 2026.",
        "CN-000001",
        "$71.76",
        "&lt;i&gt;Sorry&lt;/i&gt;",
    ):
        assert said in shown


def test_an_adjustment_names_its_month(invoice: Invoice, customer: Client) -> None:
    called("late", minutes=10)
    run_bills(now=IN_MAY)
    shown = text(customer, "invoices/2/")
    assert "adjustment for March 2026" in shown
    assert "110 minutes × $0.045 per minute = $4.95, minus $4.50 already invoiced = $0.45" in shown


def test_the_pdf_has_the_same_total(invoice: Invoice, customer: Client) -> None:
    answer = customer.get(BILLING + "invoices/1/pdf/")
    assert answer["Content-Type"] == "application/pdf"
    written = written_in(answer.content)
    for said in ("$76.76", "INV-000001", "2 seats × $70.00 × 16 of 31 days = $72.26", "Example Telecom, Inc."):
        assert said in written


def test_the_company_is_text_in_the_document(invoice: Invoice, customer: Client) -> None:
    Account.objects.filter(pk=invoice.account_id).update(company="<img src=file:///etc/passwd>")
    assert customer.get(BILLING + "invoices/1/pdf/").status_code == 200


def test_usage_of_each_day(invoice: Invoice, customer: Client) -> None:
    shown = text(customer, "usage/", month="2026-03")
    assert "Toll-free minutes in March 2026" in shown
    assert "<strong>100</strong> minutes, at most 100 on one day" in shown
    assert "March 20: 100 minutes" in shown
    assert shown.count("<tr>") == 32  # the header and 31 days
    assert "No toll-free minutes" in text(customer, "usage/", month="2026-04")


def test_usage_as_csv(invoice: Invoice, customer: Client) -> None:
    Account.objects.filter(pk=invoice.account_id).update(company='=HYPERLINK("http://x";"y")')
    answer = customer.get(BILLING + "usage/csv/?month=2026-03")
    assert answer["Content-Disposition"] == 'attachment; filename="toll-free-100001-2026-03.csv"'
    rows = list(csv.reader(io.StringIO(answer.content.decode())))
    assert rows[0] == ["account", "company", "day", "toll_free_minutes"]
    assert rows[20] == ["100001", '\'=HYPERLINK("http://x";"y")', "2026-03-20", "100"]
    assert len(rows) == 32
    assert sum(int(row[3]) for row in rows[1:]) == 100


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_no_cell_is_a_formula(cell: str) -> None:
    assert defused(cell) == f"'{cell}"
    assert defused(f"A{cell}") == f"A{cell}"


@pytest.mark.parametrize(
    "month", ["", "x", "2026-13", "2026-00", "0000-01", "9999-12", "1999-12", "2026-3", "٢٠٢٦-٠٣", "\0"]
)
def test_no_month_is_an_error_page(invoice: Invoice, customer: Client, month: str) -> None:
    for page in ("usage/", "usage/csv/"):
        assert customer.get(BILLING + page, {"month": month}).status_code == (400 if "\0" in month else 200)


@pytest.mark.parametrize("number", ["-1", "0", "999999", "x", "9" * 40, ""])
def test_no_page_number_is_an_error_page(invoice: Invoice, customer: Client, number: str) -> None:
    assert "INV-000001" in text(customer, "invoices/", page=number)


@pytest.mark.parametrize("key", ["2", "0", "9" * 18, "9" * 60, "x", "-1"])
def test_an_invoice_that_is_none_is_not_found(invoice: Invoice, customer: Client, key: str) -> None:
    for page in (f"invoices/{key}/", f"invoices/{key}/pdf/"):
        assert customer.get(BILLING + page).status_code == 404


def test_other_customers_find_nothing(
    invoice: Invoice, make_account: Callable[..., Account], make_user: Callable[..., User], client: Client
) -> None:
    other = make_user("zoe@example.com")
    install(make_account("100002", owner=other), edition="cc-pro", by=other, now=INSTALLED)
    client.force_login(other)
    for page in PAGES:
        assert client.get(BILLING + page).status_code == 404
    for page in ("invoices/1/", "invoices/1/pdf/"):  # through the other customer's own account
        assert client.get(BILLING.replace("100001", "100002") + page).status_code == 404
    assert client.get(BILLING.replace("100001", "100002")).status_code == 200


@pytest.mark.parametrize(
    ("role", "status"), [(Role.OWNER, 200), (Role.BILLING, 200), (Role.VIEWER, 200), (Role.TECHNICAL, 403)]
)
def test_the_role_decides(
    invoice: Invoice, make_user: Callable[..., User], client: Client, role: str, status: int
) -> None:
    user = make_user("zoe@example.com")
    Contact.objects.create(account=invoice.account, user=user, role=role)
    client.force_login(user)
    assert [client.get(BILLING + page).status_code for page in PAGES] == [status] * len(PAGES)


def test_who_is_not_logged_in_is_sent_to_the_log_in(invoice: Invoice) -> None:
    for page in PAGES:
        assert Client().get(BILLING + page)["Location"].startswith("/login/")


@pytest.mark.parametrize("where", PAGES)
def test_nothing_is_written_by_any_method(invoice: Invoice, customer: Client, where: str) -> None:
    before = list(Invoice.objects.values())
    for method in ("post", "put", "delete", "patch"):
        assert getattr(customer, method)(BILLING + where, {"total": "1"}).status_code in (200, 403, 404, 405)
    assert list(Invoice.objects.values()) == before


@pytest.mark.parametrize("where", ["", "invoices/{}/", "usage/"])
def test_queries_do_not_grow_with_what_is_held(
    where: str, invoice: Invoice, owner: User, customer: Client, django_assert_max_num_queries: Any,
    django_assert_num_queries: Any,
) -> None:  # fmt: skip
    customer.get(BILLING)
    with django_assert_max_num_queries(25) as few:
        text(customer, where.format(1))
    buy(invoice.account, owner, now=IN_APRIL, addons=frozenset({"addon-crm", "addon-wfm", "addon-screen"}))
    called("april", minutes=3, at="2026-04-03T12:00:00-04:00")
    run_bills(now=IN_MAY)
    assert Invoice.objects.get(number=2).lines.count() == 5
    with django_assert_num_queries(len(few)):
        text(customer, where.format(2))


def test_what_was_kept_free_opens_to_its_arithmetic(installed: Account, owner: User, customer: Client) -> None:
    buy(installed, owner, now=INSTALLED.replace(day=10), seats=2)
    shown = text(customer, "")
    assert "Contact Center Pro, Mar 10–31, 2026:<br>2 seats × $70.00 × 22 of 31 days = $99.35" in shown
    assert "Contact Center Pro, Apr 1–30, 2026:<br>2 seats × $70.00 = $140.00" in shown


@pytest.mark.owner
def test_what_has_no_price_has_no_estimate_and_no_error_page(active: Account, customer: Client) -> None:
    settle()
    sql("ALTER TABLE subscriptions_price DISABLE TRIGGER price_in_effect_is_final")
    Price.objects.filter(item__sku="tf-payperuse").delete()
    assert "There is no estimate at the moment" in text(customer, "")
    overview = customer.get("/accounts/100001/contact-center/")
    assert "What it costs can’t be told at the moment." in overview.content.decode()


def test_each_amount_of_a_confirmation_opens_to_what_comes_and_goes(
    active: Account, owner: User, customer: Client
) -> None:
    month_begins = database_now().astimezone(active.zone).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    buy(active, owner, now=max(month_begins, BOUGHT), seats=2)
    wanted = {"seats": 5, "channels": ["channel-voice"], "storage": "storage-5", "package": "tf-payperuse"}
    answer = customer.post("/accounts/100001/contact-center/subscription/", wanted)
    shown = " ".join(answer.content.decode().split())
    assert re.search(r"Contact Center Pro, [^:]*:<br>5 seats × \$70.00( × \d+ of \d+ days)? = \$", shown)
    assert re.search(r"<li>Contact Center Pro, [^:]*:<br>5 seats × \$70.00 = \$350.00</li>", shown)
    assert re.search(r"Less what stood before, Contact Center Pro, [^:]*:<br>2 seats × \$70.00 = \$140.00", shown)
    assert "<summary>$210.00</summary>" in shown


def test_both_amounts_of_going_live_open_to_their_arithmetic(installed: Account, owner: User, customer: Client) -> None:
    buy(installed, owner, now=INSTALLED.replace(day=10), seats=2)
    shown = " ".join(customer.get("/accounts/100001/contact-center/go-live/").content.decode().split())
    assert re.search(r"A? ?whole month</dt><dd> ?.*?\$140.00.*?2 seats × \$70.00 = \$140.00", shown)
    assert re.search(r"if activated today</dt><dd> ?.*?<summary>.*?2 seats × \$70.00( × \d+ of \d+ days)? = \$", shown)


@pytest.mark.parametrize(("where", "queries"), [("", 21), ("invoices/", 7), ("invoices/1/", 9), ("usage/", 7)])
def test_the_number_of_queries_is_known(
    where: str, queries: int, invoice: Invoice, customer: Client, django_assert_num_queries: Any
) -> None:
    with django_assert_num_queries(queries):
        text(customer, where)
