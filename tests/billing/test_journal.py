"""The journal is balanced, and comes to what was invoiced and credited, to the cent (R41)."""

import csv
from collections import defaultdict
from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from accounts.models import Account, PhoneNumber, User
from billing.actions import issue_credit_note, set_billing_profile, void_record
from billing.checks import check_journal
from billing.models import CallRecord, CreditNote, Invoice
from core.clock import database_now
from tests.billing.bills import APRIL, IN_APRIL, IN_MAY, Customers, bill, march
from tests.billing.documents.parties import profile
from tests.guarding import sql

Row = dict[str, str]


def export(folder: Path, month: str, *arguments: str) -> list[Row]:
    file = folder / "journal.csv"
    said = StringIO()
    call_command("export_journal", f"--month={month}", f"--to={file}", *arguments, stdout=said)
    with file.open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    assert f"{len(rows)} entr" in said.getvalue()
    return rows


def is_balanced(rows: list[Row]) -> bool:
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for row in rows:
        sums[row["document"]] += Decimal(row["debit"]) - Decimal(row["credit"])
    return bool(rows) and set(sums.values()) == {Decimal(0)}


@pytest.fixture
def issued(charged: Account, answered: PhoneNumber, owner: User, biller: User) -> Invoice:
    """An invoice of 76.76, issued on April 2, with a credit note of 5.00."""
    march(charged, owner)
    bill()
    invoice = Invoice.objects.get()
    issue_credit_note(charged, invoice, amount=Decimal(5), reason="Sorry", by=biller, now=IN_APRIL)
    return invoice


def test_documents_are_booked_by_kind_on_their_day_of_issue(issued: Invoice, tmp_path: Path) -> None:
    rows = export(tmp_path, "2026-04")
    assert [(row["entry"], row["date"], row["code"], row["debit"], row["credit"]) for row in rows] == [
        ("INV-000001-receivable", "2026-04-02", "1200", "76.76", "0.00"),
        ("INV-000001-product", "2026-04-02", "4000", "0.00", "72.26"),
        ("INV-000001-usage", "2026-04-02", "4050", "0.00", "4.50"),
        ("CN-000001-receivable", "2026-04-02", "1200", "0.00", "5.00"),
        ("CN-000001-credit_notes", "2026-04-02", "4900", "5.00", "0.00"),
    ]
    assert {(row["account"], row["company"], row["currency"]) for row in rows} == {("100001", "Acme Support", "USD")}
    assert is_balanced(rows)
    assert export(tmp_path, "2026-03", "--overwrite") == []


def test_the_same_documents_give_the_same_entries_whatever_is_renamed(issued: Invoice, tmp_path: Path) -> None:
    before = export(tmp_path, "2026-04")
    Account.objects.filter(pk=issued.account_id).update(company="Renamed")
    assert export(tmp_path, "2026-04", "--overwrite") == before


def test_the_codes_are_the_settings_and_the_company_is_the_documents(
    charged: Account, owner: User, settings: Any, tmp_path: Path
) -> None:
    settings.JOURNAL_ACCOUNTS = {**settings.JOURNAL_ACCOUNTS, "receivable": "R", "product": "P"}
    assert check_journal() == []
    set_billing_profile(charged, profile(legal_name="=Formula, LLC"), by=owner)
    bill()
    rows = export(tmp_path, "2026-04")
    assert [(row["code"], row["company"]) for row in rows] == [("R", "'=Formula, LLC"), ("P", "'=Formula, LLC")]


def test_an_unknown_name_is_refused(issued: Invoice, settings: Any, tmp_path: Path) -> None:
    settings.JOURNAL_ACCOUNTS = {**settings.JOURNAL_ACCOUNTS, "storrage": "4030"}
    [warning] = check_journal()
    assert (warning.id, "unknown names: storrage" in warning.msg) == ("billing.W005", True)
    with pytest.raises(CommandError, match="unknown names: storrage"):
        export(tmp_path, "2026-04")
    assert list(tmp_path.iterdir()) == []


def test_what_is_given_back_is_on_the_other_side(
    issued: Invoice, charged: Account, biller: User, tmp_path: Path
) -> None:
    void_record(CallRecord.objects.get(), by=biller, reason="Wrong", confirm_credited=True)
    bill(APRIL, IN_MAY, hold_unusual=False)
    rows = {row["entry"]: row for row in export(tmp_path, "2026-05")}
    assert rows["INV-000002-usage"]["debit"] == "4.50"
    assert rows["INV-000002-receivable"]["debit"] == str(Invoice.objects.get(number=2).total)
    assert is_balanced(list(rows.values()))


def test_it_comes_to_the_documents_of_many_accounts(customers: Customers, biller: User, tmp_path: Path) -> None:
    customers(3)
    bill()
    for invoice in Invoice.objects.all()[:2]:
        issue_credit_note(invoice.account, invoice, amount=Decimal("0.01"), reason="Cent", by=biller, now=IN_APRIL)
    rows = export(tmp_path, "2026-04")
    owed = sum(
        (Decimal(row["debit"]) - Decimal(row["credit"]) for row in rows if "receivable" in row["entry"]), Decimal()
    )
    totals = sum((invoice.total for invoice in Invoice.objects.all()), Decimal())
    assert owed == totals - sum((note.amount for note in CreditNote.objects.all()), Decimal())
    assert is_balanced(rows)


def test_what_is_not_balanced_is_not_written(issued: Invoice, tmp_path: Path) -> None:
    sql("SET session_replication_role = replica")
    sql("UPDATE billing_invoiceline SET amount = amount + 1")
    sql("SET session_replication_role = origin")
    with pytest.raises(CommandError, match="Nothing was written, because the journal is not balanced"):
        export(tmp_path, "2026-04")
    assert list(tmp_path.iterdir()) == []


def test_each_document_is_balanced_by_itself(customers: Customers, answered: PhoneNumber, tmp_path: Path) -> None:
    customers(2)
    bill()
    sql("SET session_replication_role = replica")
    sql("UPDATE billing_invoiceline SET amount = amount + CASE invoice_id % 2 WHEN 0 THEN 1 ELSE -1 END")
    sql("SET session_replication_role = origin")
    with pytest.raises(CommandError, match=r"Debits and credits of INV-000001 differ by 1\.00"):
        export(tmp_path, "2026-04")


def test_a_month_that_has_not_ended_is_exported_with_a_warning(issued: Invoice, tmp_path: Path) -> None:
    for month, warns in (("2026-04", False), (f"{database_now():%Y-%m}", True)):
        warned = StringIO()
        file = tmp_path / month
        call_command("export_journal", f"--month={month}", f"--to={file}", stdout=StringIO(), stderr=warned)
        assert ("has not ended everywhere" in warned.getvalue()) == warns


def test_a_file_is_not_replaced_unless_asked(issued: Invoice, tmp_path: Path) -> None:
    (tmp_path / "journal.csv").write_text("mine")
    with pytest.raises(CommandError, match="exists"):
        export(tmp_path, "2026-04")
    assert (tmp_path / "journal.csv").read_text() == "mine"
    assert len(export(tmp_path, "2026-04", "--overwrite")) == 5


def test_where_it_can_not_be_written_it_says_so(issued: Invoice, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="can't be written to"):
        export(tmp_path / "nowhere", "2026-04")
