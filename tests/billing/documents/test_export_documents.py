"""All documents of a month as files: whole, once, by several processes, and again after an interruption."""

import subprocess
import sys
from decimal import Decimal
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from accounts.models import User
from billing.actions import issue_credit_note
from billing.models import Invoice
from tests.billing.bills import APRIL, IN_APRIL, IN_MAY, Customers, bill
from tests.billing.papers import written_in


def export(folder: Path, month: str = "2026-03", workers: int = 1) -> str:
    said = StringIO()
    call_command("export_documents", f"--month={month}", f"--to={folder}", f"--workers={workers}", stdout=said)
    return said.getvalue()


@pytest.fixture
def issued(customers: Customers, biller: User) -> None:
    """Three invoices for March and one credit note, and three invoices for April."""
    customers(3)
    bill()
    bill(APRIL, IN_MAY)
    invoice = Invoice.objects.get(number=2)
    issue_credit_note(invoice.account, invoice, amount=Decimal(1), reason="Sorry", by=biller, now=IN_APRIL)


def test_the_documents_of_a_month_are_written(issued: None, tmp_path: Path) -> None:
    folder = tmp_path / "new" / "folder"
    assert export(folder) == f"4 documents were written into {folder}.\n"
    assert sorted(path.name for path in folder.iterdir()) == [
        "CN-000001.pdf", "INV-000001.pdf", "INV-000002.pdf", "INV-000003.pdf",
    ]  # fmt: skip
    assert "Invoice INV-000002" in written_in((folder / "INV-000002.pdf").read_bytes())[:60]


def test_a_second_run_writes_the_rest(issued: None, tmp_path: Path) -> None:
    export(tmp_path)
    kept = (tmp_path / "INV-000001.pdf").stat().st_mtime_ns
    (tmp_path / "INV-000003.pdf").unlink()
    (tmp_path / "INV-000003.pdf.part").write_bytes(b"%PDF-half")
    assert export(tmp_path) == f"1 document was written into {tmp_path}.\n"
    assert export(tmp_path) == f"0 documents were written into {tmp_path}.\n"
    assert (tmp_path / "INV-000001.pdf").stat().st_mtime_ns == kept
    assert not list(tmp_path.glob("*.part"))


@pytest.mark.django_db(transaction=True)
def test_processes_share_the_work(issued: None, tmp_path: Path) -> None:
    """In a process of its own, which has printed nothing before it is forked."""
    name = str(connection.settings_dict["NAME"])
    command = [sys.executable, "-m", "tests.in_tests_database", name, "export_documents"]
    done = subprocess.run(
        [*command, "--month=2026-03", f"--to={tmp_path}", "--workers=2"], capture_output=True, text=True, timeout=60
    )
    assert done.stderr == ""
    assert done.stdout == f"4 documents were written into {tmp_path}.\n"
    assert len(list(tmp_path.glob("*.pdf"))) == 4


def test_where_nothing_can_be_written_it_says_so(issued: None, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(CommandError, match="can't be written into"):
        export(tmp_path / "file")


@pytest.mark.parametrize("month", ["2026-13", "March", ""])
def test_a_month_that_is_none_is_refused(db: None, tmp_path: Path, month: str) -> None:
    with pytest.raises(CommandError, match="is not a month"):
        call_command("export_documents", f"--month={month}", f"--to={tmp_path}")
