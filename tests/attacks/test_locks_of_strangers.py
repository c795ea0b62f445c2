"""Nothing is lost if a stranger holds an advisory lock, or if a lock isn't taken at all (docs/locks.md, decision 19).

A stranger is a session of any role that may connect. Where `make_roles` ran as a superuser, report can't take a lock at
all (`test_roles.py`).
"""

from collections.abc import Iterator
from contextlib import closing, nullcontext
from typing import Any

import psycopg
import pytest
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client

from accounts.models import Account, User
from billing.calls import locking
from billing.models import BilledMonth, CallRecord, Invoice, InvoiceLine, UnbilledMonth
from billing.runs import run as runs
from billing.runs import unbilled
from core.busy import ACCOUNT_IS_BUSY
from core.locks import AdvisoryLock
from onboarding.actions import activate_many
from onboarding.models import Onboarding
from tests.billing.bills import IN_APRIL, MARCH, Customers, bill, numbers
from tests.billing.call_rows import imported, row
from tests.billing.conftest import answered, customers
from tests.conftest import codes
from tests.guarding import sql
from tests.onboarding.test_run_schedule import accounts
from tests.racing import at_once

__all__ = ["accounts", "answered", "customers"]
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def stranger() -> Iterator[psycopg.Connection]:
    """A session that isn't the product's."""
    parameters = {**connection.get_connection_params(), "options": "", "autocommit": True}
    parameters.pop("cursor_factory", None)
    with closing(psycopg.connect(**parameters)) as session:
        yield session


@pytest.fixture(autouse=True)
def impatient(transactional_db: None) -> Iterator[None]:
    """The time to wait for a lock is short, so that the tests are."""
    sql("SET lock_timeout = '300ms'")
    yield
    sql("RESET lock_timeout")


def held(stranger: psycopg.Connection, lock: AdvisoryLock) -> None:
    stranger.execute("SELECT pg_advisory_lock(%s)", [lock.value])


def let_go(stranger: psycopg.Connection) -> None:
    stranger.execute("SELECT pg_advisory_unlock_all()")


def test_an_import_ends_with_a_sentence_and_can_be_repeated(answered: Any, stranger: psycopg.Connection) -> None:
    held(stranger, AdvisoryLock.CALL_RECORDS)
    with pytest.raises(ValidationError) as refusal:
        imported([row("c1"), row("c2")])
    assert codes(refusal.value) <= {("__all__", "busy"), ("__all__", "busy_partly")}
    assert not CallRecord.objects.exists()
    let_go(stranger)
    assert imported([row("c1"), row("c2")]).added == 2


def test_a_bill_run_is_refused_and_bills_everything_later(customers: Customers, stranger: psycopg.Connection) -> None:
    customers(2)
    held(stranger, AdvisoryLock.BILL_RUN)
    with pytest.raises(ValidationError) as refusal:
        bill()
    assert codes(refusal.value) == {("__all__", "run_going_on")}
    let_go(stranger)
    assert bill().invoices == 2
    assert numbers() == [1, 2]


def test_activations_wait_for_the_next_hour(accounts: dict[str, Account], stranger: psycopg.Connection) -> None:
    held(stranger, AdvisoryLock.NIGHTLY_ALLOWANCE)
    with pytest.raises(CommandError, match="1 account refused"):
        call_command("run_schedule")
    assert not Onboarding.objects.get(account=accounts["overdue"]).is_active
    let_go(stranger)
    call_command("run_schedule")
    assert Onboarding.objects.get(account=accounts["overdue"]).is_active


def test_only_administrators_activate_by_hand_meanwhile(
    installed: Account, member: User, root: User, stranger: psycopg.Connection
) -> None:
    held(stranger, AdvisoryLock.DAILY_CAP)
    (outcome,) = activate_many([installed.pk], by=member, reason="Ready")
    assert outcome.refused == {installed.pk: ACCOUNT_IS_BUSY}
    (outcome,) = activate_many([installed.pk], by=root, reason="Ready")
    assert outcome.activated == [installed.pk]


def test_pages_do_not_wait_for_any_of_them(
    installed: Account, owner: User, client: Client, stranger: psycopg.Connection
) -> None:
    for lock in AdvisoryLock:
        held(stranger, lock)
    client.force_login(owner)
    assert client.get("/", follow=True).status_code == 200


def test_a_session_that_ends_lets_go(answered: Any, stranger: psycopg.Connection) -> None:
    held(stranger, AdvisoryLock.CALL_RECORDS)
    sql("SELECT pg_terminate_backend(%s, 5000)", stranger.info.backend_pid)
    assert imported([row("c1")]).added == 1


def test_imports_without_the_lock_count_each_call_once(answered: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locking, "wait_for", lambda lock: None)
    rows = [row(f"c{number}") for number in range(40)]
    at_once(4, lambda number: imported(rows if number % 2 else rows[::-1]))  # some end with the sentence of a deadlock
    imported(rows)
    assert CallRecord.objects.count() == CallRecord.objects.values("call_id").distinct().count() == 40


def test_bill_runs_without_the_lock_bill_each_month_once(customers: Customers, monkeypatch: pytest.MonkeyPatch) -> None:
    customers(3)
    monkeypatch.setattr(runs, "holding", lambda lock: nullcontext())
    outcomes = at_once(4, lambda _: bill(MARCH, IN_APRIL))
    assert [outcome for outcome in outcomes if isinstance(outcome, Exception)] == []
    assert sum(outcome.invoices for outcome in outcomes if not isinstance(outcome, Exception)) == 3
    assert (BilledMonth.objects.count(), Invoice.objects.count(), numbers()) == (3, 3, [1, 2, 3])
    assert InvoiceLine.objects.values("invoice").distinct().count() == 3


def test_counts_without_the_lock_are_stored_once(customers: Customers, monkeypatch: pytest.MonkeyPatch) -> None:
    customers(2)
    monkeypatch.setattr(unbilled, "wait_for", lambda lock: None)
    at_once(4, lambda _: unbilled.count_unbilled(IN_APRIL, days_after=0))
    assert list(UnbilledMonth.objects.values_list("month", "accounts")) == [(MARCH, 2)]
