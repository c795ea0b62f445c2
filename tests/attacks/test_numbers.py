"""I9: numbers have no gaps but those that the owner of the tables recorded, and none is used twice."""

from collections.abc import Callable
from decimal import Decimal
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from accounts.models import Account, User
from billing.models import Counter, CreditNote, Invoice, NumberGap
from tests.attacks.test_dates_of_deeds import as_stranger
from tests.billing.bills import APRIL, IN_MAY, bill
from tests.billing.conftest import charged
from tests.billing.papers import INVOICE_DOCUMENT
from tests.guarding import nothing_written, refused_by, settle, sql

__all__ = ["charged"]

EXERCISED = {
    "counter_counts_documents",
    "number_of_invoice_is_counted",
    "number_of_creditnote_is_counted",
    "number_gap_is_the_owners",
    "number_gap_is_behind_the_counter",
    "billing_numbergap_is_final",
    "billing_numbergap_is_kept",
}
INSERT_GAP = "INSERT INTO billing_numbergap (of, first, last, why) VALUES ('invoices', %s, %s, 'Because')"


@pytest.fixture
def invoice(charged: Account) -> Invoice:
    """Invoice number 1."""
    bill()
    settle()
    return Invoice.objects.get()


def insert_invoice(like: Invoice, number: int) -> None:
    """Copy an invoice with its lines, under another number and for another month."""
    [(key,)] = sql("SELECT nextval(pg_get_serial_sequence('billing_invoice', 'id'))")
    columns = [field.column for field in like.lines.model._meta.fields if field.column not in ("id", "invoice_id")]
    sql(
        f"INSERT INTO billing_invoiceline (invoice_id, {', '.join(columns)}) "
        f"SELECT %s, {', '.join(columns)} FROM billing_invoiceline WHERE invoice_id = %s",
        key, like.pk,
    )  # fmt: skip
    sql(
        "INSERT INTO billing_invoice (id, number, account_id, month, issued_at, total, line_count) "
        "SELECT %s, %s, account_id, month + interval '1 year', issued_at, total, line_count "
        "FROM billing_invoice WHERE id = %s",
        key, number, like.pk,
    )  # fmt: skip


def test_the_counter_does_not_jump(invoice: Invoice) -> None:
    for change in ("invoices = invoices + 1", "credit_notes = credit_notes + 5", "invoices = 10^15"):
        with refused_by("counter_counts_documents"):
            sql(f"UPDATE billing_counter SET {change}")
            settle()
    with refused_by("counter_only_counts_on"):
        sql("UPDATE billing_counter SET invoices = 0")


def test_the_counter_does_not_begin_with_a_jump(db: None) -> None:
    with refused_by("counter_counts_documents"):
        sql("INSERT INTO billing_counter (id, invoices, credit_notes) VALUES (1, 1000, 0)")
        settle()


@pytest.mark.parametrize("number", [2, 3, 1000])
def test_an_invoice_takes_no_number_by_itself(invoice: Invoice, number: int) -> None:
    with refused_by("number_of_invoice_is_counted"):
        insert_invoice(invoice, number)


def test_an_invoice_takes_no_other_number_than_the_next(invoice: Invoice) -> None:
    with refused_by("counter_counts_documents"):
        sql("UPDATE billing_counter SET invoices = invoices + 10")
        insert_invoice(invoice, 11)
        settle()
    with refused_by("counter_counts_documents"):
        sql("UPDATE billing_counter SET invoices = invoices + 1")
        insert_invoice(invoice, 2)
        settle()
    sql("UPDATE billing_counter SET invoices = invoices + 1")
    insert_invoice(invoice, 2)
    sql(INVOICE_DOCUMENT.format(invoice="(SELECT id FROM billing_invoice WHERE number = 2)"))
    settle()


def test_a_credit_note_takes_no_number_by_itself(invoice: Invoice, biller: User) -> None:
    with refused_by("number_of_creditnote_is_counted"):
        CreditNote.objects.create(
            number=7, invoice=invoice, amount=Decimal("0.01"), reason="Because", by=biller, at=invoice.issued_at
        )


def test_a_gap_is_recorded_with_the_jump_by_the_owner_alone(invoice: Invoice) -> None:
    def jump() -> None:
        sql(INSERT_GAP, 2, 1000)
        sql("UPDATE billing_counter SET invoices = 1000")
        settle()

    with as_stranger(), refused_by("number_gap_is_the_owners"):
        jump()
    jump()
    with refused_by("number_of_invoice_is_counted"):
        insert_invoice(invoice, 500)


@pytest.mark.parametrize(("first", "last"), [(1, 1), (2, 2), (1, 5), (500, 600)])
def test_a_gap_has_only_numbers_that_the_counter_passes(invoice: Invoice, first: int, last: int) -> None:
    """Not that of an invoice, and none that is still to come."""
    with refused_by("number_gap_is_behind_the_counter"):
        sql(INSERT_GAP, first, last)
        settle()


@pytest.mark.parametrize("what", ["why = 'Other'", "first = 3", "by_id = NULL", "last = 900"])
def test_a_recorded_gap_stays(invoice: Invoice, root: User, what: str) -> None:
    call_command("skip_numbers", "invoices", "1000", why="Because", by=root.email, stdout=StringIO())
    settle()
    with refused_by("billing_numbergap_is_final"):
        sql(f"UPDATE billing_numbergap SET {what}")
    with refused_by("billing_numbergap_is_final"):
        sql("DELETE FROM billing_numbergap")


def test_the_command_leaves_numbers_out_and_the_next_invoice_follows(
    charged: Account, invoice: Invoice, root: User
) -> None:
    said = StringIO()
    call_command("skip_numbers", "invoices", "1000", why="Given by the system before", by=root.email, stdout=said)
    assert said.getvalue() == "Left out: Invoices 2 to 1000. The next number is 1001.\n"
    gap = NumberGap.objects.get()
    assert (gap.first, gap.last, gap.by, gap.why) == (2, 1000, root, "Given by the system before")
    bill(APRIL, IN_MAY)
    settle()
    assert list(Invoice.objects.order_by("number").values_list("number", flat=True)) == [1, 1001]


def test_the_command_works_before_the_first_invoice(db: None, root: User) -> None:
    call_command("skip_numbers", "credit_notes", "41", why="Because", by=root.email, stdout=StringIO())
    settle()
    assert Counter.objects.get().credit_notes == 41


@pytest.mark.parametrize(
    ("until", "options", "said"),
    [
        ("1", {}, "The last number given is 1"),
        ("0", {}, "a whole number from 1"),
        ("9" * 30, {}, "a whole number from 1"),
        ("ten", {}, "a whole number from 1"),
        ("9", {"why": " "}, "Say why"),
        ("9", {"by": "nobody@example.com"}, "There is no user"),
        ("9", {"by": "bea@example.com"}, "Only an administrator"),
    ],
)
def test_the_command_says_what_is_wrong(
    invoice: Invoice, root: User, biller: User, until: str, options: dict[str, str], said: str
) -> None:
    with nothing_written(), pytest.raises(CommandError, match=said):
        call_command("skip_numbers", "invoices", until, **{"why": "Because", "by": root.email, **options})


def test_gaps_from_before_are_recorded_by_the_upgrade(invoice: Invoice) -> None:
    from importlib import import_module  # noqa: PLC0415 - the name of a migration is no identifier

    record = import_module("billing.migrations.0019_number_gaps").RECORD
    sql("ALTER TABLE billing_counter DISABLE TRIGGER USER")
    sql("UPDATE billing_counter SET invoices = 12, credit_notes = 3")
    sql("ALTER TABLE billing_counter ENABLE TRIGGER USER")
    with connection.cursor() as cursor:
        cursor.execute(record)
    settle()
    assert list(NumberGap.objects.values_list("of", "first", "last")) == [("credit_notes", 1, 3), ("invoices", 2, 12)]


def test_the_first_number_after_a_gap_is_not_in_it(make_account: Callable[..., Account], root: User) -> None:
    call_command("skip_numbers", "invoices", "5", why="Because", by=root.email, stdout=StringIO())
    with pytest.raises(CommandError, match="The last number given is 5"):
        call_command("skip_numbers", "invoices", "5", why="Because", by=root.email)
