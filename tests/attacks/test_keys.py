"""I23: primary keys, account numbers, and which user is the system member never change, whoever goes past Python."""

from collections.abc import Callable

import pytest
from django.db import IntegrityError, transaction

from accounts.models import Account, PhoneNumber, User
from core.guards import REFUSE_REFERENCED, REFUSE_ROW, KeyGuard, SharedGuard, all_guards, sentence_of
from core.guards.constraints import our_models
from tests.accounts.conftest import everything
from tests.guarding import refused_by, settle, sql

__all__ = ["everything"]

KEYS = [guard for guard in all_guards() if isinstance(guard, KeyGuard)]
LAST = [guard for guard in all_guards() if isinstance(guard, SharedGuard) and guard.runs == REFUSE_REFERENCED]
EXERCISED = {guard.name for guard in (*KEYS, *LAST)} | {"account_number_is_final", "assigned_number_stays_itself"}
# Rows of the tables that are empty otherwise.
ROWS = """
INSERT INTO accounts_user_user_permissions (user_id, permission_id)
    SELECT u.id, p.id FROM accounts_user u, auth_permission p LIMIT 1;
INSERT INTO config_joberror (job_id, traceback, at) SELECT id, 'No.', now() FROM procrastinate_jobs LIMIT 1;
INSERT INTO billing_callrules (id, final_after) VALUES (1, 18);
INSERT INTO billing_callfeed (id, looked_at, silent, low) VALUES (1, now(), '[]', '[]');
INSERT INTO billing_latemonth (account_id, month) SELECT id, '2026-03-01' FROM accounts_account;
INSERT INTO billing_unbilledmonth (month, accounts, counted_at) VALUES ('2026-03-01', 1, now());
"""


def name(guard: SharedGuard) -> str:
    return guard.name


def test_every_table_of_ours_keeps_its_keys() -> None:
    """A new table needs a guard, unless its rows never change at all."""
    final = {
        guard.table
        for guard in all_guards()
        if isinstance(guard, SharedGuard) and not isinstance(guard, KeyGuard) and guard.runs == REFUSE_ROW
    }
    keys = {guard.table: guard.column for guard in KEYS}
    assert final.isdisjoint(keys)
    assert keys == {
        model._meta.db_table: model._meta.pk.column for model in our_models() if model._meta.db_table not in final
    }


@pytest.mark.parametrize("guard", KEYS, ids=name)
def test_a_key_never_changes(guard: KeyGuard, everything: None, member: User) -> None:
    sql(ROWS)
    settle()
    sql(f"ALTER TABLE {guard.table} DISABLE TRIGGER USER")  # others would refuse some of it too
    sql(f"ALTER TABLE {guard.table} ENABLE TRIGGER {guard.name}")
    assert sql(f"SELECT count(*) FROM {guard.table}") > [(0,)]
    with refused_by(guard.name):
        sql(f"UPDATE {guard.table} SET {guard.column} = {guard.column} + 1000000")
    sql(f"UPDATE {guard.table} SET {guard.column} = {guard.column}")  # as some tools write all columns


@pytest.mark.parametrize("model", [Account, User])
def test_two_rows_never_exchange_their_keys(
    model: type[Account] | type[User], installed: Account, make_account: Callable[..., Account]
) -> None:
    make_account("100002")
    table = model._meta.db_table
    one, other = [key for (key,) in sql(f"SELECT id FROM {table} ORDER BY id LIMIT 2")]
    with refused_by(f"{table}_keeps_its_key"):
        sql(f"UPDATE {table} SET id = CASE id WHEN {one} THEN -1 ELSE {one} END WHERE id IN ({one}, {other})")


@pytest.mark.parametrize("guard", LAST, ids=name)
def test_no_row_takes_the_place_of_a_deleted_one(guard: SharedGuard, everything: None) -> None:
    settle()
    with refused_by(guard.name):
        sql(f"DELETE FROM {guard.table}")


def test_what_nothing_refers_to_can_be_deleted(make_user: Callable[..., User]) -> None:
    user = make_user("new@example.com")
    user.delete()
    sql("INSERT INTO accounts_account (number, company, timezone, created_at) VALUES ('100009', 'New', 'UTC', now())")
    Account.objects.get(number="100009").delete()
    assert not User.objects.filter(email="new@example.com").exists()
    assert not Account.objects.filter(number="100009").exists()


def test_accounts_never_exchange_their_numbers(account: Account, make_account: Callable[..., Account]) -> None:
    other = make_account("100002")
    with refused_by("account_number_is_final"):
        Account.objects.filter(pk=account.pk).update(number="100009")
    with refused_by("account_number_is_final"):
        sql(
            "UPDATE accounts_account SET number = CASE id WHEN %s THEN '100002' ELSE '100001' END WHERE id IN (%s, %s)",
            account.pk,
            account.pk,
            other.pk,
        )


@pytest.mark.parametrize("changed", ["number = '+18005550199'", "kind = 'local'"])
def test_a_number_that_was_assigned_stays_itself(everything: None, toll_free: PhoneNumber, changed: str) -> None:
    with refused_by("assigned_number_stays_itself"):
        sql(f"UPDATE accounts_phonenumber SET {changed}")


def test_a_number_that_never_was_can_be_corrected(toll_free: PhoneNumber) -> None:
    sql("UPDATE accounts_phonenumber SET number = '+18005550199'")
    toll_free.refresh_from_db()
    assert str(toll_free.number) == "+18005550199"


def test_the_system_member_stays_who_it_is(owner: User) -> None:
    with transaction.atomic(), pytest.raises(IntegrityError) as refusal, transaction.atomic():
        sql("UPDATE accounts_user SET is_system = NOT is_system")
    assert sentence_of(refusal.value)
