"""`bill_run`: its output, what it refuses, its exit status, and several processes that share the work."""

import subprocess
from collections import Counter
from decimal import Decimal
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from accounts.models import Account, User
from billing.actions import run_bills
from billing.models import BillRun, Invoice
from billing.runs.run import last_ended_month, shared_out
from core.clock import database_now
from core.locks import AdvisoryLock
from tests.billing.bills import MARCH, Customers, called, invoices, nowhere, number_of, numbers
from tests.billing.runs.test_bill_run import POISON
from tests.config.commands import python
from tests.guarding import nothing_written, sql


def bill_run(*words: str) -> str:
    """Run the command and return its output, with white space as single spaces."""
    told = StringIO()
    call_command("bill_run", *words, stdout=told)
    return " ".join(told.getvalue().split())


def in_a_process(*words: str) -> subprocess.CompletedProcess[str]:
    """Run the command in its own process, on the tests' database."""
    return python("-m", "tests.in_tests_database", connection.settings_dict["NAME"], "bill_run", *words)


def test_the_last_month_that_ended_everywhere_is_billed(customers: Customers) -> None:
    customers(2)
    month = last_ended_month(database_now())
    told = bill_run()
    assert f"Bill run of {month:%B %Y}" in told
    assert set(Invoice.objects.values_list("month", flat=True)) == {month}
    for part in ("Accounts billed │ 2", "Invoices │ 2", "Lines │ 2", "Total │ $210.00", "Held for a person │ 0"):
        assert part in told
    assert "Biggest" not in told


def test_a_dry_run_writes_nothing_and_shows_the_biggest_bills(customers: Customers) -> None:
    customers(12)
    owed = [round(Decimal(70 * seats * 16) / 31, 2) for seats in range(1, 13)]
    with nothing_written():
        told = bill_run("--month", "2026-03", "--dry-run")
    assert "Dry run of March 2026" in told
    assert f"Total │ ${sum(owed):,.2f}" in told
    shown = told.partition("Biggest bills")[2]
    places = [shown.find(f"${total:,.2f}") for total in reversed(owed)]
    assert places[:10] == sorted(places[:10])
    assert -1 not in places[:10]
    assert places[10:] == [-1, -1]


def test_only_the_accounts_named_are_billed(customers: Customers) -> None:
    first, second, third = customers(3)
    told = bill_run("--month", "2026-03", "--account", third.number, "--account", first.number)
    assert "Accounts billed │ 2" in told
    assert set(invoices()) == {(first.pk, MARCH), (third.pk, MARCH)}
    assert "Accounts billed │ 1" in bill_run("--month", "2026-03")
    assert (second.pk, MARCH) in invoices()


@pytest.mark.parametrize("dry", [[], ["--dry-run"]], ids=str)
def test_where_nobody_is_left_to_bill_it_says_so_and_writes_no_run(customers: Customers, dry: list[str]) -> None:
    customers(1)
    bill_run("--month", "2026-03")
    with nothing_written():
        assert bill_run("--month", "2026-03", *dry) == "Nothing to bill."
        assert bill_run("--month", "2026-02", *dry) == "Nothing to bill."


def test_an_account_in_a_zone_nobody_knows_is_named_and_the_others_are_billed(customers: Customers) -> None:
    lost, _ = customers(2)
    nowhere(lost)
    told = StringIO()
    with pytest.raises(CommandError, match="1 accounts could not be billed; the others were"):
        call_command("bill_run", "--month", "2026-03", stdout=told)
    assert f"Failed: {lost}: The account's time zone 'Mars/Olympus' is not known" in " ".join(told.getvalue().split())
    assert numbers() == [1]


def test_an_unknown_number_is_refused_in_words(customers: Customers) -> None:
    [account] = customers(1)
    with nothing_written(), pytest.raises(CommandError) as refusal:
        bill_run("--month", "2026-03", "--account", account.number, "--account", "999", "--account", "998")
    assert str(refusal.value) == "There is no account 999, 998."


@pytest.mark.parametrize("month", ["2026-13", "2026-3", "march", "2026-03-01", "0000-01"])
def test_a_month_is_written_as_year_and_month(db: None, month: str) -> None:
    with nothing_written(), pytest.raises(CommandError, match="is not a month; write it like 2026-10"):
        bill_run("--month", month)


def test_a_month_to_come_and_no_workers_are_refused(db: None) -> None:
    with nothing_written(), pytest.raises(CommandError, match="January 2999 has not ended anywhere yet"):
        bill_run("--month", "2999-01")
    with nothing_written(), pytest.raises(CommandError, match="a whole number from 1 to 64 is needed"):
        bill_run("--workers", "0")


@pytest.mark.owner
def test_an_account_set_aside_is_named_with_its_reason(customers: Customers) -> None:
    accounts = customers(3)
    sql(POISON.format(key=accounts[1].pk, table="billing_invoice", using=""))
    told = StringIO()
    with pytest.raises(CommandError, match="1 accounts could not be billed; the others were") as failed:
        call_command("bill_run", "--month", "2026-03", stdout=told)
    assert failed.value.returncode == 1
    assert f"Failed: {accounts[1]}: poisoned" in " ".join(told.getvalue().split())
    assert numbers() == [1, 2]


def test_a_dry_run_tells_what_would_be_held(customers: Customers, owner: User) -> None:
    [account] = customers(1)
    number_of(account, "+18005550100", by=owner)
    called("c1", minutes=50_000)
    with nothing_written():
        told = bill_run("--month", "2026-03", "--dry-run")
    assert "Held for a person │ 1" in told
    assert f"Held: {account}: Usage of $2,250.00, after $0.00 on the last invoice with usage." in told


@pytest.mark.parametrize(
    ("accounts", "chunk", "workers", "sizes"),
    [
        (10_000, 5_000, 1, {5_000: 2}),
        (10_000, 5_000, 2, {1_250: 8}),
        (100_000, 5_000, 2, {5_000: 20}),
        (1_100, 5_000, 2, {500: 2, 100: 1}),  # never below LEAST_CHUNK
        (5, 2, 2, {2: 2, 1: 1}),  # never larger than the given chunk
        (0, 5_000, 2, {}),
    ],
)
def test_each_of_several_workers_gets_some_chunks(
    accounts: int, chunk: int, workers: int, sizes: dict[int, int]
) -> None:
    keys = list(range(accounts))
    shared = shared_out([keys[first : first + chunk] for first in range(0, accounts, chunk)], workers)
    assert Counter(map(len, shared)) == sizes
    assert [key for part in shared for key in part] == keys


@pytest.mark.django_db(transaction=True)
def test_two_processes_bill_the_same_as_one(customers: Customers, owner: User) -> None:
    accounts = customers(5)
    number_of(accounts[0], "+18005550100", by=owner)
    called("c1", minutes=100)
    dry = run_bills(MARCH, dry_run=True)
    shared_dry = run_bills(MARCH, dry_run=True, workers=2, chunk=2)
    assert shared_dry == dry
    assert not Invoice.objects.exists()
    shared = run_bills(MARCH, workers=2, chunk=2)
    assert shared.run is not None
    shared.run, run = None, shared.run
    assert shared == dry
    assert (run.accounts, run.invoices, run.total) == (5, 5, dry.total)
    assert (len(invoices()), numbers()) == (5, [1, 2, 3, 4, 5])
    assert {total for total, _, _ in invoices().values()} == {total for total, _ in dry.biggest}


@pytest.mark.owner
@pytest.mark.django_db(transaction=True)
def test_the_command_in_a_process_of_its_own(customers: Customers) -> None:
    accounts = customers(3)
    sql(POISON.format(key=accounts[1].pk, table="billing_invoice", using=""))
    try:
        failed = in_a_process("--month", "2026-03", "--workers", "2")
        assert (failed.returncode, numbers()) == (1, [1, 2]), failed
        assert failed.stderr == "CommandError: 1 accounts could not be billed; the others were.\n"
    finally:
        sql("DROP FUNCTION poison CASCADE")
    again = in_a_process("--month", "2026-03")
    assert (again.returncode, again.stderr, numbers()) == (0, "", [1, 2, 3]), again


@pytest.mark.django_db(transaction=True)
def test_while_one_run_goes_on_another_is_refused(charged: Account) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [AdvisoryLock.BILL_RUN])
    refused = in_a_process("--month", "2026-03")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr == "CommandError: Another bill run is going on. Wait until it has ended.\n"
    assert not BillRun.objects.exists()
    assert in_a_process("--dry-run", "--month", "2026-03").returncode == 0
    sql("SELECT pg_advisory_unlock(%s)", AdvisoryLock.BILL_RUN)
