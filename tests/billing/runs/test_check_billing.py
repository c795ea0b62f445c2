"""`check_billing`: months are compared with what was invoiced, and accounts that were not billed are found."""

from collections.abc import Iterator
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from accounts.models import Account, PhoneNumber, User
from billing.actions import reject_bill, run_bills
from billing.models import BillOnHold
from billing.runs.unbilled import months_owed
from core.clock import database_now
from subscriptions.models import Price
from tests.billing.bills import APRIL, IN_APRIL, IN_MAY, MARCH, Customers, called, held_back, invoiced, nowhere
from tests.guarding import nothing_written, sql


def check(month: str | None = "2026-03") -> str:
    out = StringIO()
    with nothing_written():
        call_command("check_billing", *(["--month", month] if month else []), stdout=out)
    return out.getvalue()


def found(month: str | None = "2026-03", *, status: int | None = 1) -> str:
    """Return the command's output, after it failed because it found something. A `status` of None allows any."""
    out = StringIO()
    with nothing_written(), pytest.raises(CommandError) as failure:
        call_command("check_billing", *(["--month", month] if month else []), stdout=out)
    assert failure.value.returncode in ((1, 2) if status is None else (status,))
    return out.getvalue()


@pytest.fixture
def guards_off(db: None) -> Iterator[None]:
    """A database in which the guards of invoices are turned off."""
    tables = ("billing_invoiceline", "billing_invoice")
    for table in tables:
        sql(f"ALTER TABLE {table} DISABLE TRIGGER USER")
    yield
    sql("SET CONSTRAINTS ALL IMMEDIATE")
    for table in tables:
        sql(f"ALTER TABLE {table} ENABLE TRIGGER USER")


def test_a_billed_month_is_in_order(active: Account, answered: PhoneNumber, owner: User) -> None:
    invoiced(active, owner)
    told = check()
    assert told == "1 accounts checked for March 2026, 0 differences, 0 with late calls that wait, 0 not billed.\n"


def test_a_month_nobody_was_billed_for_is_found(customers: Customers) -> None:
    customers(2)
    assert found(status=2).splitlines() == [
        "Company 200001 (200001), March 2026: was not billed",
        "Company 200002 (200002), March 2026: was not billed",
        "0 accounts checked for March 2026, 0 differences, 0 with late calls that wait, 2 not billed.",
    ]


def test_one_account_that_was_not_billed_is_found_and_none_before_its_start(customers: Customers) -> None:
    first, _ = customers(2)
    run_bills(MARCH, accounts=[first.pk], now=IN_APRIL)
    told = found(status=2)
    assert "Company 200002 (200002), March 2026: was not billed" in told
    assert "Company 200001" not in told
    assert "0 accounts checked for February 2026, 0 differences" in check("2026-02")


def test_a_month_that_has_only_just_ended_is_not_missing_yet(customers: Customers, settings: Any) -> None:
    (account,) = customers(1)
    days_since_march = (account.day_of(database_now()) - APRIL).days
    settings.BILL_RUN_AFTER_DAYS = days_since_march + 1
    assert "0 not billed" in check()


def test_all_months_are_checked_from_the_first_on(active: Account, answered: PhoneNumber, owner: User) -> None:
    invoiced(active, owner)
    told = found(None, status=2)
    assert "1 accounts checked for March 2026, 0 differences, 0 with late calls that wait, 0 not billed." in told
    assert "Acme Support (100001), April 2026: was not billed" in told
    for month in months_owed(database_now())[1:]:
        run_bills(month)
    clean = check(None)
    assert [line.split(" for ")[1].split(",")[0] for line in clean.splitlines()] == [
        f"{month:%B %Y}" for month in months_owed(database_now())
    ]


def test_a_difference_outweighs_a_missing_bill(
    active: Account, answered: PhoneNumber, owner: User, guards_off: None
) -> None:
    invoiced(active, owner)
    sql("UPDATE billing_invoiceline SET amount = amount + 0.01 WHERE kind = 'usage'")
    assert "April 2026: was not billed" in found(None, status=1)


def test_seats_that_part_are_told_once_however_many_months(active: Account, answered: PhoneNumber, owner: User) -> None:
    invoiced(active, owner)
    run_bills(APRIL, now=IN_MAY)
    sql("UPDATE subscriptions_contactcenter SET seats = 1")
    assert found(None).count("holds 1 seats, its ledger 2") == 1


def test_bills_that_wait_for_a_person_are_not_missing(
    active: Account, answered: PhoneNumber, owner: User, biller: User, settings: Any
) -> None:
    held = held_back(active, owner, settings)
    assert "0 not billed" in check()
    reject_bill(active, held, note="Feed is wrong", by=biller)
    assert "0 not billed" in check()
    assert BillOnHold.objects.rejected_and_unbilled().count() == 1


def test_one_that_can_not_be_computed_is_told_and_the_others_are_checked(customers: Customers) -> None:
    accounts = customers(5)
    run_bills(MARCH, now=IN_APRIL)
    sql("UPDATE subscriptions_contactcenter SET seats = 9 WHERE account_id = %s", accounts[4].pk)
    sql("SET session_replication_role = replica")
    Price.objects.filter(item__sku="cc-pro").update(effective_from="2026-03-17")
    sql("SET session_replication_role = origin")
    told = found()
    for account in accounts:
        assert f"{account}, March 2026: can't be computed: cc-pro has no price on 2026-03-16." in told
    assert "5 accounts checked for March 2026, 6 differences" in told


def test_an_account_in_a_zone_nobody_knows_stops_no_other(customers: Customers) -> None:
    lost, missing, fine = customers(3)
    run_bills(MARCH, accounts=[lost.pk, fine.pk], now=IN_APRIL)
    nowhere(lost)
    told = found(None, status=None)  # any status, since this test is about the output
    assert f"{missing}, March 2026: was not billed" in told
    assert "2 accounts checked for March 2026" in told
    assert (
        f"{lost}, April 2026: The account's time zone 'Mars/Olympus' is not known; an administrator can correct it."
        in told
    )


def test_the_exit_statuses_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        call_command("check_billing", "--help")
    told = " ".join(capsys.readouterr().out.split())
    for words in ("0 where all is in order", "1 where an account was invoiced", "2 where nothing is wrong but"):
        assert words in told


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


def test_late_calls_wait_for_the_next_invoice_and_are_no_difference(
    active: Account, answered: PhoneNumber, owner: User
) -> None:
    invoiced(active, owner)
    called("late", minutes=10)
    told = check()
    assert "owes $77.21, was invoiced $76.76; a late call waits for the next invoice" in told
    assert "0 differences, 1 with late calls that wait, 0 not billed" in told
    run_bills(APRIL, now=IN_MAY)
    assert "0 differences" in check()
    assert "0 differences" in check("2026-04")
    assert run_bills(MARCH, now=IN_APRIL).accounts == 0


def test_a_late_call_explains_no_recurring_charge(
    active: Account, answered: PhoneNumber, owner: User, guards_off: None
) -> None:
    invoiced(active, owner)
    called("late", minutes=10)
    sql("UPDATE billing_invoiceline SET amount = amount + 0.01 WHERE kind = 'recurring'")
    assert "owes $77.21, was invoiced $76.77\n" in found()


def test_a_late_call_that_was_settled_explains_nothing(
    active: Account, answered: PhoneNumber, owner: User, guards_off: None
) -> None:
    invoiced(active, owner)
    called("late", minutes=10)
    run_bills(APRIL, now=IN_MAY)
    sql("UPDATE billing_invoiceline SET amount = amount + 0.01 WHERE kind = 'adjustment'")
    assert "owes $77.21, was invoiced $77.22\n" in found()
