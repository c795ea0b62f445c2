"""I14: no history row that was planted beforehand hides a change, or says that somebody else made it."""

import pytest

from accounts.models import Account, User
from onboarding.actions import assign_owner
from onboarding.models import Onboarding
from subscriptions.models import ContactCenter
from tests.billing.bills import buy
from tests.guarding import settle, sql

EXERCISED = {"onboarding_leaves_history", "contact_center_leaves_history"}
CENTER = ("subscriptions_contactcenter", "subscriptions_historicalcontactcenter", "seats", "2", "1")
MODE = (
    "onboarding_onboarding",
    "onboarding_historicalonboarding",
    "announced_for",
    "date '2026-12-01'",
    "date '2026-12-02'",
)
BY_ROLE = "Written past the application by the database role"


def plant(table: str, history: str, column: str, value: str, user: User, key: int = 0) -> None:
    """Add a history row that says that the user sets this column, as the row is otherwise."""
    columns = [name for (name,) in sql(
        "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped", table
    )]  # fmt: skip
    values = ", ".join(value if name == column else name for name in columns)
    first = f"history_id, {', '.join(columns)}" if key else ", ".join(columns)
    sql(
        f"INSERT INTO {history} ({first}, history_date, history_type, history_user_id, history_change_reason) "
        f"SELECT {f'{key}, ' if key else ''}{values}, now(), '~', %s, '' FROM {table}",
        user.pk,
    )


def last(history: str) -> tuple[int | None, str]:
    [(user, reason)] = sql(
        f"SELECT history_user_id, history_change_reason FROM {history} ORDER BY history_date DESC LIMIT 1"
    )
    return user, reason


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("place", [CENTER, MODE], ids=["center", "mode"])
@pytest.mark.parametrize("key", [0, 2**30], ids=["the next key", "a key ahead of all"])
def test_a_row_planted_before_does_not_hide_the_change(
    place: tuple[str, str, str, str, str], key: int, installed: Account, owner: User
) -> None:
    table, history, column, value, other = place
    plant(table, history, column, value, owner, key)
    for new in (value, other, value):
        sql(f"UPDATE {table} SET {column} = {new}")
        user, reason = last(history)
        assert user is None
        assert reason.startswith(BY_ROLE)


@pytest.mark.django_db(transaction=True)
def test_a_change_that_the_application_records_leaves_one_row(installed: Account, owner: User, member: User) -> None:
    center = ContactCenter.objects.get()
    mode = Onboarding.objects.get()
    before = center.history.count(), mode.history.count()
    buy(installed, owner, seats=1, now=None)
    assign_owner(installed, owner=member, by=member)
    assert (center.history.count(), mode.history.count()) == (before[0] + 1, before[1] + 1)
    assert not [row for row in mode.history.all() if (row.history_change_reason or "").startswith(BY_ROLE)]


def test_a_row_written_in_a_part_of_the_transaction_counts(installed: Account, owner: User) -> None:
    """Savepoints have IDs of their own."""
    settle()
    sql("SAVEPOINT one")
    sql("UPDATE subscriptions_contactcenter SET seats = 2")
    sql("SAVEPOINT two")
    plant(*CENTER[:4], owner)
    sql("RELEASE SAVEPOINT two")
    sql("RELEASE SAVEPOINT one")
    before = ContactCenter.objects.get().history.count()
    settle()
    assert ContactCenter.objects.get().history.count() == before
