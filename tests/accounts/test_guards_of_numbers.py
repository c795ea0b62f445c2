"""The database's guards: an assigned number stays with its account, and only its own account can have it assigned."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.test import Client

from accounts.models import Account, NumberAssignment, PhoneNumber, User
from subscriptions.actions import assign_number, unassign_number
from tests.guarding import INSERTS, UPDATES, named, refused_by, sql

EXERCISED = {"assigned_number_does_not_move", "number_is_assigned_by_its_account"}
SINCE = datetime(2026, 3, 10, 12, tzinfo=UTC)
ENDED = datetime(2026, 3, 20, 12, tzinfo=UTC)


@pytest.fixture
def other(make_account: Callable[..., Account], owner: User) -> Account:
    return make_account("100002", owner=owner)


def assignment(number: PhoneNumber, account: Account, by: User, end: datetime | None = None) -> NumberAssignment:
    """Return an assignment that is not in the database yet."""
    period = DateTimeTZRange(SINCE, end)
    return NumberAssignment(account=account, number=number, period=period, assigned_by=by, ended_by=by if end else None)


@pytest.mark.parametrize("way", UPDATES, ids=named)
def test_an_assigned_number_does_not_move(
    installed: Account, other: Account, owner: User, toll_free: PhoneNumber, way: Callable[..., None]
) -> None:
    assign_number(installed, toll_free, by=owner, now=SINCE)
    with refused_by("assigned_number_does_not_move"):
        way(toll_free, account=other)
    unassign_number(installed, toll_free, by=owner, now=ENDED)
    way(toll_free, account=other)
    assert PhoneNumber.objects.get().account == other


@pytest.mark.parametrize("way", INSERTS, ids=named)
def test_only_its_own_account_has_a_number_assigned(
    installed: Account, other: Account, owner: User, toll_free: PhoneNumber, way: Callable[[Any], None]
) -> None:
    with refused_by("number_is_assigned_by_its_account"):
        way(assignment(toll_free, other, owner))
    way(assignment(toll_free, installed, owner))
    assert NumberAssignment.objects.get().account == installed


def test_a_period_that_has_ended_may_be_another_accounts(other: Account, owner: User, toll_free: PhoneNumber) -> None:
    assignment(toll_free, other, owner, ENDED).save()
    assert NumberAssignment.objects.get().account == other


@pytest.fixture
def stuck(installed: Account, other: Account, owner: User, toll_free: PhoneNumber) -> Iterator[PhoneNumber]:
    """A number that moved to another account while it was assigned, as was possible before there were guards."""
    assign_number(installed, toll_free, by=owner, now=SINCE)
    sql("SET CONSTRAINTS ALL IMMEDIATE")
    sql("ALTER TABLE accounts_phonenumber DISABLE TRIGGER assigned_number_does_not_move")
    sql("UPDATE accounts_phonenumber SET account_id = %s", other.pk)
    sql("ALTER TABLE accounts_phonenumber ENABLE TRIGGER assigned_number_does_not_move")
    return PhoneNumber.objects.get()


def test_a_number_that_got_stuck_moves_back_to_the_account_that_has_it_assigned(
    stuck: PhoneNumber, installed: Account, other: Account, owner: User, make_account: Any, client: Client, member: User
) -> None:
    client.force_login(member)
    page = f"/admin/accounts/phonenumber/{stuck.pk}/change/"
    elsewhere = client.post(page, {"account": make_account("100003").pk})
    assert "unassign it before it moves" in elsewhere.content.decode()
    assert client.post(page, {"account": installed.pk}).status_code == 302
    assert PhoneNumber.objects.get().account == installed
    unassign_number(installed, stuck, by=owner)
    assert client.post(page, {"account": other.pk}).status_code == 302
    assert PhoneNumber.objects.get().account == other
