"""Invoices, their lines and credit notes as CSV from the lists of the back office (R41)."""

import csv
from collections.abc import Callable
from decimal import Decimal
from io import StringIO

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from billing.actions import issue_credit_note
from billing.models import Invoice
from tests.billing.bills import APRIL, IN_APRIL, IN_MAY, Customers, bill

INVOICES, NOTES = (reverse(f"admin:billing_{name}_changelist") for name in ("invoice", "creditnote"))


@pytest.fixture
def team(customers: Customers, biller: User, supporter: User) -> Client:
    """A member of Support, with two invoices for each of two months, and a credit note."""
    customers(2)
    bill()
    bill(APRIL, IN_MAY)
    invoice = Invoice.objects.get(number=1)
    issue_credit_note(invoice.account, invoice, amount=Decimal(1), reason="=Sorry", by=biller, now=IN_APRIL)
    client = Client()
    client.force_login(supporter)
    return client


def rows(client: Client, where: str, **query: str) -> list[dict[str, str]]:
    answer = client.get(where, query)
    assert answer.status_code == 200
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    return list(csv.DictReader(StringIO(b"".join(answer.streaming_content).decode())))  # type: ignore[attr-defined]


def test_the_list_offers_what_it_shows(team: Client) -> None:
    page = team.get(INVOICES, {"month": "2026-03"}).content.decode()
    for name, title in (("invoices", "Invoices as CSV"), ("lines", "Lines as CSV")):
        assert f'href="{INVOICES}csv/{name}/?month=2026-03">{title}</a>' in page
    assert "Credit notes as CSV" in team.get(NOTES).content.decode()


def test_invoices_and_lines_are_those_that_are_listed(team: Client) -> None:
    assert [row["invoice"] for row in rows(team, f"{INVOICES}csv/invoices/")] == [
        f"INV-{number:06d}" for number in (4, 3, 2, 1)
    ]
    [row] = rows(team, f"{INVOICES}csv/invoices/", q="INV-1")
    assert (row["month"], row["issued_on"], row["due_on"]) == ("2026-03", "2026-04-02", "2026-05-02")
    assert Decimal(row["total_usd"]) == Invoice.objects.get(number=1).total
    lines = rows(team, f"{INVOICES}csv/lines/", month="2026-03")
    assert {line["invoice"] for line in lines} == {"INV-000001", "INV-000002"}
    totals = sum((invoice.total for invoice in Invoice.objects.filter(month="2026-03-01")), Decimal())
    assert sum((Decimal(line["amount_usd"]) for line in lines), Decimal()) == totals


def test_credit_notes(team: Client) -> None:
    [row] = rows(team, f"{NOTES}csv/credit-notes/")
    assert (row["credit_note"], row["invoice"], row["amount_usd"]) == ("CN-000001", "INV-000001", "1.00")
    assert row["reason"] == "'=Sorry"  # no formula


def test_who_may_not_see_invoices_gets_none(team: Client, make_user: Callable[..., User], owner: User) -> None:
    for user, answer in ((owner, 302), (make_user("new@example.com", is_staff=True), 403)):
        team.force_login(user)
        for where in (f"{INVOICES}csv/invoices/", f"{INVOICES}csv/lines/", f"{NOTES}csv/credit-notes/"):
            assert team.get(where).status_code == answer


@pytest.mark.parametrize("where", [f"{INVOICES}csv/credit-notes/", f"{NOTES}csv/lines/", f"{INVOICES}csv/x/"])
def test_a_file_that_is_none_is_not_found(team: Client, where: str) -> None:
    assert team.get(where).status_code == 404


@pytest.mark.parametrize("query", ["month=x", "number__x=1", "p=x", "o=x"])
def test_junk_leads_back_to_the_list(team: Client, query: str) -> None:
    answer = team.get(f"{INVOICES}csv/invoices/?{query}", follow=True)
    assert answer.status_code == 200
