"""The database's guards of credit notes and other tables to which rows are only added; and no table is emptied."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.apps import apps
from django.db import transaction

from accounts.models import Account, User
from billing.actions import issue_credit_note
from billing.models import BillOnHold, BillRun, CallImport, CreditNote, FailedBill, Invoice, RejectedCall
from billing.runs.writing import take_numbers
from tests.billing.bills import IN_APRIL, MARCH, SEAT, bill
from tests.billing.papers import NOTE_DOCUMENTS
from tests.guarding import INSERTS, load_fixture, named, refused_by, sql
from tests.racing import at_once

ADDED_TO = [
    "billing_invoice",
    "billing_invoiceline",
    "billing_billedmonth",
    "billing_creditnote",
    "billing_failedbill",
]
NEVER_EMPTIED = [*ADDED_TO, "billing_callrecord", "billing_counter", "billing_heldbill"]
EXERCISED = {
    *(f"{table}_is_final" for table in ADDED_TO),
    *(f"{table}_is_kept" for table in NEVER_EMPTIED),
    "credit_is_within_the_invoice",
}
MODELS: dict[str, Any] = {model._meta.db_table: model for model in apps.get_app_config("billing").get_models()}
Insert = Callable[[Any], None]


@pytest.fixture
def invoice(charged: Account) -> Invoice:
    bill()
    return Invoice.objects.get()


@pytest.fixture
def note_of(invoice: Invoice, biller: User) -> Callable[..., CreditNote]:
    """A function that returns an unsaved credit note on the invoice, with the next number."""

    def note(amount: Decimal) -> CreditNote:
        number = take_numbers("credit_notes", 1)
        return CreditNote(number=number, invoice=invoice, amount=amount, reason="Goodwill", by=biller, at=IN_APRIL)

    return note


NoteOf = Callable[..., CreditNote]


@pytest.mark.parametrize("way", INSERTS, ids=named)
def test_no_more_is_given_back_than_was_invoiced(note_of: NoteOf, way: Insert) -> None:
    with refused_by("credit_is_within_the_invoice"):
        way(note_of(SEAT + Decimal("0.01")))
    give(note_of(SEAT - 1))
    with refused_by("credit_is_within_the_invoice"):
        way(note_of(Decimal("1.01")))
    give(note_of(Decimal(1)))


@pytest.mark.parametrize("way", INSERTS, ids=named)
@pytest.mark.parametrize("amount", [Decimal(0), Decimal("-0.01"), -SEAT], ids=str)
def test_a_credit_note_gives_something_back(note_of: NoteOf, way: Insert, amount: Decimal) -> None:
    with refused_by("credit_is_positive"):
        way(note_of(amount))


def test_two_notes_of_one_statement_are_counted_together(note_of: NoteOf) -> None:
    for attack in (CreditNote.objects.bulk_create, lambda pair: load_fixture(*pair)):
        with refused_by("credit_is_within_the_invoice"):
            attack([note_of(SEAT - 1), note_of(SEAT - 1)])


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("guarded", [True, False])
def test_notes_at_once_give_back_no_more_than_was_invoiced(note_of: NoteOf, guarded: bool) -> None:
    """Each of ten credits a third. The control, without the guard, credits more than was invoiced."""
    if not guarded:
        sql("ALTER TABLE billing_creditnote DISABLE TRIGGER credit_is_within_the_invoice")
    try:
        outcomes = at_once(10, lambda place: third(note_of))
    finally:
        sql("ALTER TABLE billing_creditnote ENABLE TRIGGER credit_is_within_the_invoice")
    assert outcomes.count(None) == CreditNote.objects.count() == (3 if guarded else 10)


@transaction.atomic
def third(note_of: NoteOf) -> None:
    give(note_of(Decimal("12.04")))


def give(note: CreditNote) -> None:
    """Store a credit note and its document, past the application."""
    note.save()
    sql(NOTE_DOCUMENTS)


@pytest.fixture
def past(charged: Account, biller: User) -> Account:
    """An account with a row in each of billing's tables that is never emptied."""
    bill()
    issue_credit_note(charged, Invoice.objects.get(), amount=Decimal(1), reason="Goodwill", by=biller, now=IN_APRIL)
    received = CallImport.objects.create(name="calls.csv", layout="own")
    RejectedCall.objects.create(call_import=received, line=2, code="bad_number", reason="It is no number.")
    FailedBill.objects.create(run=BillRun.objects.get(), account=charged, reason="No price.")
    BillOnHold.objects.create(account=charged, month=MARCH, total=1, why="High", held_at=IN_APRIL)
    return charged


@pytest.mark.parametrize("table", ADDED_TO)
def test_a_row_of_the_past_is_never_changed_or_deleted(past: Account, table: str) -> None:
    model = MODELS[table]
    row = model._base_manager.latest("pk")
    other = next(field for field in model._meta.fields if not field.primary_key)
    for attack in (
        row.save,
        lambda: load_fixture(row),
        lambda: model._base_manager.update(**{other.attname: getattr(row, other.attname)}),
        lambda: model._base_manager.bulk_update([row], [other.name]),
        lambda: sql(f"UPDATE {table} SET id = id + 100000"),
        lambda: model._base_manager.all()._raw_delete("default"),  # not stopped by PROTECT
        lambda: sql(f"DELETE FROM {table}"),
    ):
        with refused_by(f"{table}_is_final"):
            attack()


@pytest.mark.parametrize("table", NEVER_EMPTIED)
def test_no_table_is_emptied(past: Account, table: str) -> None:
    assert MODELS[table].objects.exists() or table == "billing_callrecord"
    with refused_by(f"{table}_is_kept"):
        sql("SET LOCAL guards.truncate = 'refused'")
        sql("SET CONSTRAINTS ALL IMMEDIATE")
        sql(f"TRUNCATE {table} CASCADE")


def test_bills_are_not_emptied_with_the_accounts_they_hang_on(past: Account) -> None:
    kept = sql("SELECT tgname FROM pg_trigger WHERE tgname LIKE '%\\_is\\_kept'")
    for table in ("accounts_account", "accounts_user", "billing_billrun", "billing_callimport"):
        with refused_by(*(name for (name,) in kept)):
            sql("SET LOCAL guards.truncate = 'refused'")
            sql("SET CONSTRAINTS ALL IMMEDIATE")
            sql(f"TRUNCATE {table} CASCADE")
