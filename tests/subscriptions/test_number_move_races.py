"""Moving a number to another account while it is being assigned, in both orders; controls show that the races exist."""

import importlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest
from django.contrib.messages import get_messages
from django.db import IntegrityError
from django.test import Client

from accounts.models import Account, NumberAssignment, PhoneNumber, User
from core.guards import sentence_of
from subscriptions.actions import assign_number, install
from tests.conftest import codes
from tests.guarding import sql
from tests.racing import one_after_the_other

pytestmark = pytest.mark.django_db(transaction=True)
SINCE = datetime(2026, 3, 10, 12, tzinfo=UTC)


@pytest.fixture
def other(make_account: Callable[..., Account], owner: User, catalogue: None) -> Account:
    account = make_account("100002", owner=owner)
    install(account, edition="cc-pro", by=owner, now=SINCE)
    return account


def state() -> tuple[str, list[str]]:
    """Return the number of the account that the phone number belongs to, and of those that have it assigned."""
    assigned = NumberAssignment.objects.current().values_list("account__number", flat=True)
    return PhoneNumber.objects.get().account.number, list(assigned)


def move(number: PhoneNumber, to: Account, by: User) -> Callable[[], Any]:
    """Return a function that moves the number in the admin, as staff do, and returns the page's message or "moved"."""

    def post() -> str:
        client = Client()
        client.force_login(by)
        form = {"account": to.pk, "number": str(number.number)}
        answer = client.post(f"/admin/accounts/phonenumber/{number.pk}/change/", form)
        if answer.status_code == 302:
            said = [message.message for message in get_messages(answer.wsgi_request)]
            return "moved" if "was changed successfully" in said[0] else said[0]
        return "not valid"

    return post


def raw_move(to: Account) -> Callable[[], Any]:
    return lambda: sql("UPDATE accounts_phonenumber SET account_id = %s", to.pk)


def raw_assignment(number: PhoneNumber, account: Account, by: User) -> Callable[[], Any]:
    return lambda: sql(
        "INSERT INTO accounts_numberassignment (account_id, number_id, period, assigned_by_id) "
        "VALUES (%s, %s, tstzrange(%s, NULL), %s)",
        account.pk, number.pk, SINCE, by.pk,
    )  # fmt: skip


def guard_of(outcome: Any) -> str:
    assert isinstance(outcome, IntegrityError), outcome
    sentence = sentence_of(outcome)
    assert sentence is not None
    return sentence.guard


def test_who_moves_a_number_sees_that_it_was_assigned_meanwhile(
    installed: Account, other: Account, owner: User, member: User, toll_free: PhoneNumber
) -> None:
    outcome, _ = one_after_the_other(
        lambda: assign_number(installed, toll_free, by=owner), move(toll_free, other, member)
    )
    assert outcome == "The number is assigned to Contact Center: unassign it before it moves."
    assert state() == ("100001", ["100001"])


def test_who_assigns_a_number_sees_that_it_was_moved_meanwhile(
    installed: Account, other: Account, owner: User, member: User, toll_free: PhoneNumber
) -> None:
    outcome, _ = one_after_the_other(
        move(toll_free, other, member), lambda: assign_number(installed, toll_free, by=owner)
    )
    assert codes(outcome) == {("__all__", "unknown_number")}
    assert state() == ("100002", [])


def test_a_move_waits_for_the_account_that_gets_the_number_too(
    installed: Account, other: Account, member: User, toll_free: PhoneNumber
) -> None:
    """The move waits for whatever holds the lock of the new account, like a bill run."""
    seen: list[str] = []

    def hold_the_new_account() -> None:
        Account.objects.locked().get(pk=other.pk)
        seen.append(PhoneNumber.objects.get().account.number)

    assert one_after_the_other(hold_the_new_account, move(toll_free, other, member)) == ("moved", True)
    assert seen == ["100001"]


@pytest.fixture
def without_the_locks(monkeypatch: pytest.MonkeyPatch) -> None:
    module = importlib.import_module("accounts.actions.save_number")  # the package has the function under this name
    monkeypatch.setattr(module, "_accounts_of", lambda _: Account.objects.none())


def test_control_without_the_locks_a_move_waits_for_nobody(
    installed: Account, other: Account, member: User, toll_free: PhoneNumber, without_the_locks: None
) -> None:
    hold = partial(list, Account.objects.locked().filter(pk=other.pk))
    assert one_after_the_other(hold, move(toll_free, other, member)) == ("moved", False)


@pytest.mark.owner
def test_control_without_the_locks_the_guards_stop_it(
    installed: Account, other: Account, owner: User, member: User, toll_free: PhoneNumber, without_the_locks: None
) -> None:
    outcome, _ = one_after_the_other(
        lambda: assign_number(installed, toll_free, by=owner), move(toll_free, other, member)
    )
    assert outcome == "The number is assigned to Contact Center: unassign it before it moves."
    assert state() == ("100001", ["100001"])
    sql("ALTER TABLE accounts_phonenumber DISABLE TRIGGER assigned_number_does_not_move")
    try:
        raw_move(other)()
    finally:
        sql("ALTER TABLE accounts_phonenumber ENABLE TRIGGER assigned_number_does_not_move")
    assert state() == ("100002", ["100001"]), "this is what the guard is for"


def test_past_python_the_move_is_refused_after_the_assignment(
    installed: Account, other: Account, owner: User, toll_free: PhoneNumber
) -> None:
    outcome, _ = one_after_the_other(raw_assignment(toll_free, installed, owner), raw_move(other))
    assert guard_of(outcome) == "assigned_number_does_not_move"
    assert state() == ("100001", ["100001"])


def test_past_python_the_assignment_is_refused_after_the_move(
    installed: Account, other: Account, owner: User, toll_free: PhoneNumber
) -> None:
    outcome, _ = one_after_the_other(raw_move(other), raw_assignment(toll_free, installed, owner))
    assert guard_of(outcome) == "number_is_assigned_by_its_account"
    assert state() == ("100002", [])


@pytest.fixture
def without_the_row_lock() -> Iterator[None]:
    """Make the guard on assignments read the number without locking it."""
    (body,) = sql("SELECT pg_get_functiondef('number_is_assigned_by_its_account'::regproc)")[0]
    sql(body.replace("FOR SHARE", ""))
    yield
    sql(body)


@pytest.mark.parametrize("assigned_first", [True, False])
def test_control_without_the_row_lock_the_number_gets_stuck(
    installed: Account, other: Account, owner: User, toll_free: PhoneNumber, assigned_first: bool,
    without_the_row_lock: None,
) -> None:  # fmt: skip
    both = [raw_assignment(toll_free, installed, owner), raw_move(other)]
    outcome, _ = one_after_the_other(*(both if assigned_first else reversed(both)))
    assert not isinstance(outcome, Exception)
    assert state() == ("100002", ["100001"])
