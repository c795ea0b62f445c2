"""The database's guards on tables to which rows are only added: history and refusals (I16), assignments (I13)."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.apps import apps
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.db import IntegrityError
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange

from accounts.actions import add_service_user
from accounts.models import Account, NumberAssignment, PhoneNumber, User
from core.guards import all_guards, sentence_of
from onboarding.actions import activate, request_go_live
from onboarding.models import Note
from subscriptions.actions import assign_number, change_subscription, unassign_number
from subscriptions.rules import Subscription
from tests.guarding import INSERTS, UPDATES, by_history_revert, by_upsert, named, nothing_written, refused_by, sql

ADDED_TO = [
    "accounts_refusal",
    "accounts_historicaluser",
    "accounts_historicalaccount",
    "accounts_historicalcontact",
    "accounts_historicalserviceuser",
    "accounts_historicalphonenumber",
    "onboarding_note",
    "onboarding_historicalonboarding",
    "onboarding_historicalgoliverequest",
    "subscriptions_change",
    "subscriptions_historicalcontactcenter",
    "subscriptions_historicalitem",
    "subscriptions_historicalprice",
]
NEVER_EMPTIED = [
    *ADDED_TO,
    "accounts_numberassignment",
    "onboarding_onboarding",
    "subscriptions_contactcenter",
    "subscriptions_holding",
    "subscriptions_item",
    "subscriptions_price",
]
EXERCISED = {
    *(f"{table}_is_final" for table in ADDED_TO),
    *(f"{table}_is_kept" for table in NEVER_EMPTIED),
    "accounts_numberassignment_is_final",
}
MODELS: dict[str, Any] = {model._meta.db_table: model for model in apps.get_models()}
MARCH = [datetime(2026, 3, day, 12, tzinfo=UTC) for day in range(1, 32)]


@pytest.fixture
def past(installed: Account, owner: User, member: User, toll_free: PhoneNumber) -> Account:
    """An account with a row in each table to which rows are only added."""
    add_service_user(installed, name="Ann", email="ann@example.com", by=owner)
    request_go_live(installed, wanted_on=MARCH[20].date(), by=owner, now=MARCH[10])
    Note.objects.create(account=installed, written_by=member, text="Called them.")
    activate(installed, by=member, reason="Ready", now=MARCH[15])
    with pytest.raises(ValidationError):
        change_subscription(installed, Subscription(seats=-1, storage="storage-5", package="tf-payperuse"), by=owner)
    return installed


@pytest.mark.parametrize("table", ADDED_TO)
def test_a_row_of_the_past_is_never_changed_or_deleted(past: Account, table: str) -> None:
    model = MODELS[table]
    row = model._base_manager.latest("pk")
    key = model._meta.pk.column
    other = next(field for field in model._meta.fields if field.column != key)
    for attack in (
        row.save,
        lambda: model._base_manager.update(**{other.attname: getattr(row, other.attname)}),
        lambda: model._base_manager.bulk_update([row], [other.name]),
        lambda: sql(f"UPDATE {table} SET {key} = {key} + 100000"),
        lambda: model._base_manager.all()._raw_delete("default"),  # ignores PROTECT
        lambda: sql(f"DELETE FROM {table}"),
    ):
        with refused_by(f"{table}_is_final"):
            attack()


@pytest.mark.parametrize("table", NEVER_EMPTIED)
def test_no_table_is_emptied(past: Account, table: str) -> None:
    assert MODELS[table].objects.exists() or table == "accounts_numberassignment"
    with refused_by(f"{table}_is_kept"):
        sql("SET LOCAL guards.truncate = 'refused'")
        sql("SET CONSTRAINTS ALL IMMEDIATE")
        sql(f"TRUNCATE {table} CASCADE")


def test_accounts_and_users_are_not_emptied_with_all_that_hangs_on_them(past: Account) -> None:
    kept = [guard.name for guard in all_guards() if guard.name.endswith("_is_kept")]
    for table in ("accounts_account", "accounts_user"):
        with refused_by(*kept):
            sql("SET LOCAL guards.truncate = 'refused'")
            sql("SET CONSTRAINTS ALL IMMEDIATE")
            sql(f"TRUNCATE {table} CASCADE")


def test_flush_is_refused_where_the_guard_is_awake(past: Account) -> None:
    sql("SET LOCAL guards.truncate = 'refused'")
    sql("SET CONSTRAINTS ALL IMMEDIATE")
    with nothing_written(), pytest.raises(CommandError) as failed:
        call_command("flush", interactive=False, verbosity=0)
    error = failed.value.__cause__
    assert isinstance(error, IntegrityError)
    sentence = sentence_of(error)
    assert sentence is not None
    assert sentence.guard.endswith("_is_kept")


@pytest.fixture
def assigned(installed: Account, owner: User, toll_free: PhoneNumber) -> NumberAssignment:
    """An assignment from March 10 until March 20."""
    assign_number(installed, toll_free, by=owner, now=MARCH[9])
    return unassign_number(installed, toll_free, by=owner, now=MARCH[19])


def beside(row: NumberAssignment, start: datetime | None, end: datetime | None) -> NumberAssignment:
    """Return an unsaved assignment of the same number for another period."""
    return NumberAssignment(
        account_id=row.account_id,
        number_id=row.number_id,
        period=DateTimeTZRange(start, end),
        assigned_by_id=row.assigned_by_id,
    )


@pytest.mark.parametrize("way", INSERTS, ids=named)
@pytest.mark.parametrize(
    ("start", "end"), [(9, 19), (0, 10), (18, 25), (5, 25), (12, 13), (0, None), (12, None)], ids=str
)
def test_a_number_is_assigned_once_at_a_time(
    assigned: NumberAssignment, way: Callable[[Any], None], start: int, end: int | None
) -> None:
    with refused_by("number_assigned_once_at_a_time"):
        way(beside(assigned, MARCH[start], None if end is None else MARCH[end]))


def test_a_number_is_assigned_once_whichever_account_it_is(
    assigned: NumberAssignment, make_account: Callable[..., Account]
) -> None:
    other = beside(assigned, MARCH[19] - timedelta(microseconds=1), MARCH[25])
    other.account = make_account("100002")
    with refused_by("number_assigned_once_at_a_time"):
        other.save()


def test_a_number_is_not_open_twice(assigned: NumberAssignment) -> None:
    beside(assigned, MARCH[22], None).save()
    with refused_by("number_assigned_once_at_a_time"):
        beside(assigned, MARCH[25], None).save()


def test_assignments_may_touch(assigned: NumberAssignment) -> None:
    beside(assigned, MARCH[0], MARCH[9]).save()
    beside(assigned, MARCH[19], None).save()
    assert NumberAssignment.objects.count() == 3


@pytest.mark.parametrize(("start", "end"), [(None, MARCH[5]), (None, None), (MARCH[5], MARCH[5])], ids=str)
def test_an_assignment_starts_before_it_ends(
    assigned: NumberAssignment, start: datetime | None, end: datetime | None
) -> None:
    with refused_by("number_assignment_has_a_period"):
        beside(assigned, start, end).save()


WAYS = [way for way in UPDATES if way not in (by_history_revert, by_upsert)]


@pytest.mark.parametrize("way", WAYS, ids=named)
@pytest.mark.parametrize("end", [None, MARCH[12], MARCH[25]], ids=str)
def test_an_assignment_ends_once(assigned: NumberAssignment, way: Callable[..., None], end: datetime | None) -> None:
    with refused_by("accounts_numberassignment_is_final"):
        way(assigned, period=DateTimeTZRange(MARCH[9], end))


@pytest.mark.parametrize("way", WAYS, ids=named)
@pytest.mark.parametrize("part", ["account", "number", "assigned_by", "start", "ended_by", "no end"])
def test_only_the_end_of_an_assignment_is_ever_written(
    assigned: NumberAssignment,
    make_account: Callable[..., Account],
    member: User,
    owner: User,
    way: Callable[..., None],
    part: str,
) -> None:
    current = beside(assigned, MARCH[20], None)
    current.save()
    ending = {"period": DateTimeTZRange(MARCH[20], MARCH[25]), "ended_by": owner}
    other: dict[str, Any] = {
        "account": make_account("100002"),
        "number": PhoneNumber.objects.create(account=current.account, number="+12125550100"),
        "assigned_by": member,
        "ended_by": None,
    }
    periods = {"start": DateTimeTZRange(MARCH[21], MARCH[25]), "no end": DateTimeTZRange(MARCH[20], None)}
    forged = {part: other[part]} if part in other else {"period": periods[part]}
    with refused_by("accounts_numberassignment_is_final"):
        way(current, **{**ending, **forged})
    way(current, **ending)
    assert not NumberAssignment.objects.current().exists()


def test_an_assignment_is_never_deleted_nor_its_key_changed(assigned: NumberAssignment) -> None:
    for attack in (
        assigned.delete,
        NumberAssignment.objects.all().delete,
        lambda: sql("DELETE FROM accounts_numberassignment"),
        lambda: NumberAssignment.objects.update(id=assigned.pk + 100_000),
    ):
        with refused_by("accounts_numberassignment_is_final"):
            attack()
