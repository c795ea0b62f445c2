"""The database's guards of bills: nothing issued changes (I10), sums are right (I11), nothing is twice (I8, I9)."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.db.models import ProtectedError

from accounts.models import Account, User
from billing.actions import skip_numbers
from billing.models import BilledMonth, BillOnHold, Counter, Invoice, InvoiceLine, NumberGap
from tests.billing.bills import APRIL, IN_APRIL, IN_MAY, MARCH, SEAT, bill
from tests.guarding import (
    INSERTS,
    UPDATES,
    by_bulk_create,
    by_history_revert,
    by_upsert,
    load_fixture,
    named,
    nothing_written,
    refused_by,
    sql,
)
from tests.remembering import remembered

EXERCISED = {
    "billing_invoice_is_final",
    "billing_invoiceline_is_final",
    "invoice_is_the_sum_of_its_lines",
    "issued_invoice_takes_no_line",
    "counter_only_counts_on",
    "held_bill_is_decided_once",
}
WAYS = [way for way in UPDATES if way is not by_history_revert]  # bills have no history because they never change
Insert = Callable[[Any], None]


@pytest.fixture
@remembered
def invoice(charged: Account) -> Invoice:
    """The account's invoice for March 2026, with one line, for a seat."""
    bill()
    issued = Invoice.objects.get()
    assert (issued.total, issued.line_count) == (SEAT, 1)
    return issued


def line_of(key: int, amount: Decimal = SEAT, **other: Any) -> InvoiceLine:
    """Return an unsaved line as the bill run writes it in April."""
    fields = {
        "position": 1,
        "line_count": 1,
        "kind": "recurring",
        "sku": "cc-pro",
        "month": APRIL,
        "first": APRIL,
        "last": APRIL + timedelta(days=29),
    }
    return InvoiceLine(invoice_id=key, amount=amount, **{**fields, "quantity": 1, "unit_price": 70, **other})


def next_key() -> int:
    """Return the primary key of the next invoice."""
    [(key,)] = sql("SELECT nextval(pg_get_serial_sequence('billing_invoice', 'id')) + 1")
    return key


def invoice_of(account: Account, **other: Any) -> Invoice:
    """Return an unsaved invoice for April with one line."""
    fields = {"number": 2, "month": APRIL, "issued_at": IN_MAY, "total": SEAT, "line_count": 1}
    return Invoice(account=account, **{**fields, **other})


def issue(way: Insert, account: Account, *amounts: Decimal, **other: Any) -> None:
    """Write lines and then their invoice."""
    write_lines_of(next_key(), *amounts)
    way(invoice_of(account, **other))


def write_lines_of(key: int, *amounts: Decimal) -> None:
    lines = [
        line_of(key, amount, position=place, line_count=len(amounts)) for place, amount in enumerate(amounts, start=1)
    ]
    InvoiceLine.objects.bulk_create(lines)


@pytest.mark.parametrize("way", WAYS, ids=named)
@pytest.mark.parametrize(
    "field", [{"total": 1}, {"number": 9}, {"month": APRIL}, {"issued_at": IN_MAY}, {"line_count": 2}], ids=named
)
def test_an_issued_invoice_never_changes(invoice: Invoice, way: Callable[..., None], field: dict[str, Any]) -> None:
    with refused_by("billing_invoice_is_final"):
        way(invoice, **field)


@pytest.mark.parametrize("way", WAYS, ids=named)
def test_an_issued_invoice_never_moves_to_another_account(
    invoice: Invoice, make_account: Callable[..., Account], way: Callable[..., None]
) -> None:
    other = make_account("100002")
    with refused_by("billing_invoice_is_final"):
        way(invoice, account=other)


@pytest.mark.parametrize("way", WAYS, ids=named)
@pytest.mark.parametrize("field", [{"amount": 1}, {"sku": "cc-elite"}, {"first": MARCH}, {"kind": "usage"}], ids=named)
def test_a_line_of_an_invoice_never_changes(invoice: Invoice, way: Callable[..., None], field: dict[str, Any]) -> None:
    with refused_by("billing_invoiceline_is_final"):
        way(invoice.lines.get(), **field)


def test_an_invoice_and_its_lines_are_never_deleted(invoice: Invoice) -> None:
    for model, guard in ((Invoice, "billing_invoice_is_final"), (InvoiceLine, "billing_invoiceline_is_final")):
        table = model._meta.db_table
        for attack in (
            lambda model=model: model._base_manager.all()._raw_delete("default"),  # not stopped by PROTECT
            lambda table=table: sql(f"DELETE FROM {table}"),
            lambda table=table: sql(f"UPDATE {table} SET id = id + 100000"),
            lambda table=table: sql(f"MERGE INTO {table} USING (SELECT 1) s ON true WHEN MATCHED THEN DELETE"),
        ):
            with refused_by(guard):
                attack()
    with refused_by("billing_invoiceline_is_final"):
        invoice.lines.get().delete()


def test_an_account_with_an_invoice_is_not_deleted_with_all_that_hangs_on_it(invoice: Invoice) -> None:
    with nothing_written(), pytest.raises(ProtectedError):
        invoice.account.delete()
    with nothing_written(), pytest.raises(ProtectedError):
        invoice.delete()


@pytest.mark.parametrize("way", INSERTS, ids=named)
def test_no_line_is_added_to_an_invoice_that_was_issued(invoice: Invoice, way: Insert) -> None:
    with refused_by("one_line_at_a_position"):
        way(line_of(invoice.pk))
    with refused_by("issued_invoice_takes_no_line"):
        way(line_of(invoice.pk, position=2, line_count=2))
    with refused_by("line_is_one_of_its_invoice"):
        way(line_of(invoice.pk, position=2))


def test_no_lines_are_added_that_come_to_nothing_together(invoice: Invoice) -> None:
    pair = [
        line_of(invoice.pk, amount, position=place, line_count=3)
        for place, amount in ((2, Decimal(1)), (3, -Decimal(1)))
    ]
    for attack in (
        lambda: InvoiceLine.objects.bulk_create(pair),
        lambda: load_fixture(*pair),
        lambda: InvoiceLine.objects.bulk_create([line_of(next_key()), *pair]),  # hidden among lines of a new invoice
    ):
        with refused_by("issued_invoice_takes_no_line"):
            attack()


def test_no_line_is_moved_to_another_invoice(invoice: Invoice) -> None:
    with refused_by("billing_invoiceline_is_final"):
        InvoiceLine.objects.update(invoice=next_key())


@pytest.mark.parametrize("way", INSERTS, ids=named)
@pytest.mark.parametrize(
    ("amounts", "told"),
    [
        ([SEAT], {"total": SEAT + Decimal("0.01")}),
        ([SEAT], {"total": -SEAT}),
        ([SEAT, Decimal(1)], {"line_count": 2}),
        ([SEAT], {"line_count": 2}),
        ([SEAT, Decimal(1), Decimal(-1)], {}),
        ([], {}),
        ([], {"total": 0}),
    ],
    ids=str,
)
def test_an_invoice_is_the_sum_of_its_lines(
    invoice: Invoice, way: Insert, amounts: list[Decimal], told: dict[str, Any]
) -> None:
    with refused_by("invoice_is_the_sum_of_its_lines"):
        issue(way, invoice.account, *amounts, **told)


def test_one_good_invoice_does_not_hide_a_wrong_one_of_the_same_statement(
    invoice: Invoice, make_account: Callable[..., Account]
) -> None:
    first, second = next_key() + 1, next_key() + 1
    wrong = [
        invoice_of(invoice.account, id=first, total=SEAT + 1),
        invoice_of(make_account("100002"), id=second, number=3, total=SEAT - 1),
    ]
    with refused_by("invoice_is_the_sum_of_its_lines"):
        InvoiceLine.objects.bulk_create([line_of(first, kind="usage"), line_of(second, kind="usage")])
        Invoice.objects.bulk_create(wrong)


@pytest.mark.parametrize("way", INSERTS, ids=named)
def test_an_invoice_has_lines(invoice: Invoice, way: Insert) -> None:
    with refused_by("invoice_has_lines"):
        issue(way, invoice.account, total=0, line_count=0)


@pytest.mark.parametrize("way", INSERTS, ids=named)
def test_a_month_is_billed_once_and_has_one_invoice(invoice: Invoice, way: Insert) -> None:
    with refused_by("a_month_is_billed_once"):
        way(BilledMonth(account=invoice.account, month=MARCH, billed_at=IN_APRIL))
    with refused_by("one_invoice_a_month"):
        issue(way, invoice.account, SEAT, month=MARCH)


@pytest.mark.parametrize("way", INSERTS, ids=named)
def test_a_number_is_given_once(invoice: Invoice, way: Insert) -> None:
    with nothing_written(), pytest.raises(IntegrityError, match="number"), transaction.atomic():
        issue(way, invoice.account, SEAT, number=invoice.number)


def test_a_line_is_something_and_has_days(invoice: Invoice) -> None:
    for field in ({"amount": 0}, {"kind": "gift"}):
        with refused_by("invoice_line_is_something"):
            by_bulk_create(line_of(next_key(), **field))
    with refused_by("invoice_line_has_days"):
        by_bulk_create(line_of(next_key(), last=MARCH))


@pytest.mark.parametrize("way", WAYS, ids=named)
@pytest.mark.parametrize("field", [{"invoices": 0}, {"credit_notes": 0}], ids=named)
def test_the_counter_never_goes_back(
    invoice: Invoice, root: User, way: Callable[..., None], field: dict[str, int]
) -> None:
    skip_numbers(NumberGap.Of.CREDIT_NOTES, until=1, why="Because", by=root)
    with refused_by("counter_only_counts_on"):
        way(Counter.objects.get(), **field)


def test_there_is_one_counter_and_it_stays(invoice: Invoice) -> None:
    for attack in (
        lambda: Counter.objects.get().delete(),
        lambda: Counter.objects.all()._raw_delete("default"),
        lambda: sql("DELETE FROM billing_counter"),
    ):
        with refused_by("counter_only_counts_on"):
            attack()
    with refused_by("billing_counter_keeps_its_key"):
        Counter.objects.update(id=2)
    with refused_by("one_counter"):
        Counter.objects.create(pk=2)


@pytest.fixture
@remembered
def held(charged: Account) -> BillOnHold:
    return BillOnHold.objects.create(
        account=charged, month=MARCH, total=Decimal("9000.00"), why="Usage of $9,000.00", held_at=IN_APRIL
    )


def decided(by: User, state: str = "rejected") -> dict[str, Any]:
    return {"state": state, "decided_by": by, "decided_at": IN_APRIL}


@pytest.mark.parametrize("way", [way for way in WAYS if way is not by_upsert], ids=named)
def test_a_held_bill_is_decided_once(held: BillOnHold, biller: User, way: Callable[..., None]) -> None:
    way(held, **decided(biller))
    for again in (decided(biller, "released"), {"state": "held", "decided_by": None}, {"note": "Other"}):
        with refused_by("held_bill_is_decided_once"):
            way(held, **again)


@pytest.mark.parametrize("way", WAYS, ids=named)
@pytest.mark.parametrize(
    "forged",
    [{"decided_by": None}, {"decided_at": None}, {"total": 1}, {"why": "None"}, {"month": APRIL}, {"state": "held"}],
    ids=named,
)
def test_a_held_bill_stays_what_it_was_and_names_who_decided(
    held: BillOnHold, biller: User, way: Callable[..., None], forged: dict[str, Any]
) -> None:
    with refused_by("held_bill_is_decided_once"):
        way(held, **{**decided(biller), **forged})


@pytest.mark.parametrize("way", [way for way in WAYS if way is not by_upsert], ids=named)
def test_the_digest_of_a_bill_is_stored_when_it_is_rejected_and_never_later(
    held: BillOnHold, biller: User, way: Callable[..., None]
) -> None:
    digest = "d" * 64
    with refused_by("held_bill_is_decided_once"):
        way(held, digest=digest)
    with refused_by("only_a_rejected_bill_has_a_digest"):
        way(held, **decided(biller, "released"), digest=digest)
    way(held, **decided(biller), digest=digest)
    for other in ("", "e" * 64):
        with refused_by("held_bill_is_decided_once"):
            way(held, digest=other)


def test_a_bill_rejected_without_a_digest_gets_none(held: BillOnHold, biller: User) -> None:
    BillOnHold.objects.update(**decided(biller))
    with refused_by("held_bill_is_decided_once"):
        BillOnHold.objects.update(digest="d" * 64)


def test_a_held_bill_is_never_deleted_and_held_once(held: BillOnHold) -> None:
    for attack in (held.delete, BillOnHold.objects.all().delete, lambda: sql("DELETE FROM billing_heldbill")):
        with refused_by("held_bill_is_decided_once"):
            attack()
    with refused_by("one_held_bill_a_month"):
        BillOnHold.objects.create(account=held.account, month=MARCH, total=1, why="Again", held_at=IN_APRIL)
