"""Accounts in time zones from before the rule that only places can be chosen."""

from accounts.models import Account
from tests.guarding import settle, sql
from tests.roles import as_owner


def in_zone(account: Account, name: str) -> None:
    """Put the account into a time zone, bypassing the guards, as was possible before there were any."""
    settle()
    with as_owner():
        sql("ALTER TABLE accounts_account DISABLE TRIGGER USER")
        sql("UPDATE accounts_account SET timezone = %s WHERE id = %s", name, account.pk)
        settle()
        sql("ALTER TABLE accounts_account ENABLE TRIGGER USER")
    account.timezone = name
