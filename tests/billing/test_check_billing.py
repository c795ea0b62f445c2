"""`check_billing`: a month computed anew, against what was invoiced."""

from collections.abc import Iterator
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from accounts.models import Account, PhoneNumber, User
from billing.actions import run_bills
from tests.billing.bills import APRIL, IN_APRIL, IN_MAY, MARCH, called, invoiced
from tests.guarding import sql


def check(month: str = "2026-03") -> str:
    out = StringIO()
    call_command("check_billing", "--month", month, stdout=out)
    return out.getvalue()


def found(month: str = "2026-03") -> str:
    """Return what the command says where it finds something, which is its failure."""
    out = StringIO()
    with pytest.raises(CommandError):
        call_command("check_billing", "--month", month, stdout=out)
    return out.getvalue()


@pytest.fixture
def guards_off(db: None) -> Iterator[None]:
    """The database of somebody who switched the guards of invoices off."""
    tables = ("billing_invoiceline", "billing_invoice")
    for table in tables:
        sql(f"ALTER TABLE {table} DISABLE TRIGGER USER")
    yield
    sql("SET CONSTRAINTS ALL IMMEDIATE")
    for table in tables:
        sql(f"ALTER TABLE {table} ENABLE TRIGGER USER")


def test_a_billed_month_is_in_order(active: Account, answered: PhoneNumber, owner: User) -> None:
    invoiced(active, owner)
    assert "1 accounts checked for March 2026, 0 differences." in check()


def test_a_month_nobody_was_billed_for_is_in_order(active: Account) -> None:
    assert "0 accounts checked" in check()


def test_a_cent_is_found(active: Account, answered: PhoneNumber, owner: User, guards_off: None) -> None:
    invoiced(active, owner)
    sql("UPDATE billing_invoiceline SET amount = amount + 0.01 WHERE kind = 'usage'")
    assert "owes $76.76, was invoiced $76.77" in found()


def test_a_product_before_the_activation_is_found(
    active: Account, answered: PhoneNumber, owner: User, guards_off: None
) -> None:
    invoiced(active, owner)
    sql("UPDATE billing_invoiceline SET first = '2026-03-15' WHERE sku = 'cc-pro'")
    assert "cc-pro is charged from 2026-03-15, before the activation" in found()


def test_seats_that_part_from_the_ledger_are_found(active: Account, answered: PhoneNumber, owner: User) -> None:
    invoiced(active, owner)
    sql("UPDATE subscriptions_contactcenter SET seats = 1")
    assert "holds 1 seats, its ledger 2" in found()


def test_late_calls_are_a_difference_until_the_next_invoice(
    active: Account, answered: PhoneNumber, owner: User
) -> None:
    invoiced(active, owner)
    called("late", minutes=10)
    assert "owes $77.21, was invoiced $76.76" in found()
    run_bills(APRIL, now=IN_MAY)
    assert "0 differences" in check()
    assert "0 differences" in check("2026-04")
    assert run_bills(MARCH, now=IN_APRIL).accounts == 0
