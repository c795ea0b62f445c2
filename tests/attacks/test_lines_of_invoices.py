"""I10, I11: no line comes to an issued invoice, in either order of two sessions, and no amount is NaN."""

from collections.abc import Callable, Iterator
from decimal import Decimal
from threading import Event

import pytest
from django.db import IntegrityError, transaction

from accounts.models import Account, User
from billing.models import Invoice, InvoiceLine
from tests.billing.bills import SEAT, bill
from tests.billing.conftest import charged
from tests.billing.test_guards_of_bills import invoice_of, line_of, next_key, write_lines_of
from tests.guarding import refused_by, sql
from tests.racing import at_once

__all__ = ["charged"]


def outcome_of(verb: Callable[[], None]) -> str:
    """Return the name of the constraint that refused what `verb` wrote in a transaction, or "written"."""
    try:
        with transaction.atomic():
            verb()
    except IntegrityError as error:
        return str(error.__cause__.diag.constraint_name)  # type: ignore[union-attr]
    return "written"


def issued_and_added(account: Account, first: str, forged: tuple[int, int]) -> tuple[str, str]:
    """Issue an invoice and add a line to it in two sessions at once, and return the outcome of each."""
    key = next_key()
    has_written, may_commit = Event(), Event()

    def issue() -> None:
        write_lines_of(key, SEAT)
        invoice_of(account, id=key).save(force_insert=True)

    def add() -> None:
        InvoiceLine.objects.bulk_create([line_of(key, Decimal(1), position=forged[0], line_count=forged[1])])

    early, late = (issue, add) if first == "invoice" else (add, issue)

    def write_early() -> None:
        early()
        has_written.set()
        may_commit.wait(1)  # the other session commits meanwhile, or waits for this one

    def session(number: int) -> str:
        if number == 0:
            return outcome_of(write_early)
        has_written.wait(10)
        try:
            return outcome_of(late)
        finally:
            may_commit.set()

    outcomes = dict(zip((early, late), map(str, at_once(2, session)), strict=True))
    return outcomes[issue], outcomes[add]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("forged", [(1, 1), (2, 2)], ids=["in its place", "beside it"])
@pytest.mark.parametrize("first", ["invoice", "line"])
def test_a_line_that_the_other_session_does_not_see(charged: Account, first: str, forged: tuple[int, int]) -> None:
    """The invoice is written, and the line is not: a unique key and a foreign key see what a trigger can't."""
    issued, added = issued_and_added(charged, first, forged)
    assert issued == "written"
    assert added in ("one_line_at_a_position", "line_belongs_to_its_invoice")
    assert list(Invoice.objects.get().lines.values_list("amount", flat=True)) == [SEAT]
    assert InvoiceLine.objects.count() == 1


@pytest.fixture
def without_the_keys(charged: Account) -> Iterator[None]:
    """Drop the two keys that sessions share, and create them again at the end, without the rows they would refuse."""
    names = ("one_line_at_a_position", "line_belongs_to_its_invoice")
    definitions = {
        name: sql("SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = %s", name)[0][0]
        for name in names
    }
    for name in names:
        sql(f"ALTER TABLE billing_invoiceline DROP CONSTRAINT {name}")
    yield
    with transaction.atomic():
        sql("SET LOCAL session_replication_role = replica")
        sql("DELETE FROM billing_invoiceline")
    for name, definition in definitions.items():
        sql(f"ALTER TABLE billing_invoiceline ADD CONSTRAINT {name} {definition}")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("first", ["invoice", "line"])
def test_control_without_the_keys_the_line_is_written(charged: Account, without_the_keys: None, first: str) -> None:
    """Triggers alone don't see the other session, so the invoice has a line more than its total."""
    assert issued_and_added(charged, first, (2, 2)) == ("written", "written")
    assert InvoiceLine.objects.count() == 2
    assert Invoice.objects.get().total == SEAT


NAN = Decimal("NaN")


LINE = """
    INSERT INTO billing_invoiceline
        (invoice_id, position, line_count, kind, sku, month, first, last, quantity, unit_price, amount)
    VALUES (%s, 1, 1, 'usage', 'tf-payperuse', '2026-04-01', '2026-04-01', '2026-04-30', 1, %s, %s)
"""


def test_no_amount_is_nan(charged: Account) -> None:
    """To PostgreSQL, NaN equals itself and is larger than all numbers, so it would be the sum of a line of NaN."""
    key = next_key()
    for values in ((1, NAN), (NAN, 1)):
        with refused_by("invoice_line_amounts_are_numbers"):
            sql(LINE, key, *values)
    with transaction.atomic():
        sql("ALTER TABLE billing_invoiceline DROP CONSTRAINT invoice_line_amounts_are_numbers")
        sql(LINE, key, 1, NAN)
        with refused_by("invoice_total_is_a_number"):
            sql(
                "INSERT INTO billing_invoice (id, number, account_id, month, issued_at, total, line_count) "
                "VALUES (%s, 2, %s, '2026-04-01', now(), %s, 1)",
                key,
                charged.pk,
                NAN,
            )
        transaction.set_rollback(True)


def test_no_credit_is_nan(charged: Account, biller: User) -> None:
    bill()
    with refused_by("credit_note_amount_is_a_number", "credit_is_within_the_invoice"):
        sql(
            "INSERT INTO billing_creditnote (number, invoice_id, amount, reason, at, by_id) "
            "SELECT 1, id, %s, 'Late', now(), %s FROM billing_invoice",
            NAN,
            biller.pk,
        )
