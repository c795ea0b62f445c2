"""The views for reports are as documented, and the role report reads them (R41)."""

import re
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from django.conf import settings

from accounts.models import Account, User
from billing.actions import issue_credit_note
from billing.models import Invoice
from tests.billing.bills import IN_APRIL, bill
from tests.guarding import settle, sql
from tests.roles import as_role

PAGE = (Path(settings.PROJECT) / "docs" / "reporting.md").read_text()
VIEWS = dict(re.findall(r"^\| `(reporting_\w+)` \| (.*) \|$", PAGE, re.MULTILINE))
QUERIES = re.findall(r"```sql\n(.*?)```", PAGE, re.DOTALL)


@pytest.fixture
def invoice(charged: Account, biller: User) -> Invoice:
    bill()
    invoice = Invoice.objects.get()
    issue_credit_note(charged, invoice, amount=Decimal(5), reason="Sorry", by=biller, now=IN_APRIL)
    return invoice


def test_every_view_is_documented(db: None) -> None:
    views = {name for (name,) in sql("SELECT viewname FROM pg_views WHERE viewname LIKE 'reporting%'")}
    assert views == VIEWS.keys()


@pytest.mark.parametrize("view", VIEWS)
def test_every_column_is_documented(db: None, view: str) -> None:
    columns = sql("SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 ORDER BY attnum", view)
    assert [name for (name,) in columns] == re.findall(r"`(\w+)`", VIEWS[view])


def test_the_examples_answer_to_the_role_report(invoice: Invoice) -> None:
    with as_role("report"):
        remaining, revenue = (sql(query.strip().rstrip(";")) for query in QUERIES)
    assert remaining == [("INV-000001", "100001", "Acme Support", date(2026, 5, 2), invoice.total - 5)]
    assert revenue == [(date(2026, 3, 1), "cc-pro", invoice.total)]


@pytest.mark.parametrize("view", VIEWS)
def test_each_view_has_a_row(invoice: Invoice, view: str) -> None:
    with as_role("report"):
        assert len(sql(f"SELECT * FROM {view}")) == 1


def test_long_numbers_are_written_whole(invoice: Invoice) -> None:
    settle()
    sql("SET session_replication_role = replica")
    sql("UPDATE billing_invoice SET number = 12345678")
    sql("SET session_replication_role = origin")
    assert sql("SELECT invoice FROM reporting_invoices") == [("INV-12345678",)]
