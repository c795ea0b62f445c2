"""The rows that the table of attacks acts on: made once by the actions, and rolled back after the last attack."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from django.contrib.auth.models import Group
from django.db import connection

from accounts.models import Account, Contact, Role, User
from billing.actions import issue_credit_note
from billing.models import CallRecord, CreditNote, Invoice
from core.groups import BILLING_TEAM, ONBOARDING_TEAM
from onboarding.models import Onboarding
from subscriptions.actions import install, load_catalogue
from subscriptions.models import ContactCenter, Holding, SubscriptionChange
from tests.billing.bills import bill, called, customer, number_of
from tests.conftest import INSTALLED, PASSWORD, catalogue_content
from tests.guarding import settle, sql

CREATED = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class World:
    """One account in onboarding (`trial`), one that was activated and invoiced (`live`), and their rows."""

    trial: Account
    live: Account
    mode: Onboarding  # the trial's
    activation: Onboarding  # the live account's
    center: ContactCenter  # the trial's
    held: Holding  # the live account's seat
    change: SubscriptionChange  # the live account's last
    invoice: Invoice
    call: CallRecord
    note: CreditNote
    staff: User

    def keys(self) -> dict[str, Any]:
        """Return what the SQL of an attack can name: each row's primary key, and some keys that no row holds."""
        found = {name: row.pk for name, row in vars(self).items()}
        found |= {name: _key_of(name) for name in ("system", "customer", "package", "paygo", "extra")}
        found |= {"billed": sql("SELECT id FROM billing_billedmonth WHERE account_id = %s", self.live.pk)[0][0]}
        found |= {"import": sql("SELECT id FROM billing_callimport LIMIT 1")[0][0]}
        [(found["next_invoice"],)] = sql("SELECT max(id) + 1000 FROM billing_invoice")
        return found


def _key_of(name: str) -> int:
    where = {
        "system": "accounts_user WHERE is_system",
        "customer": "accounts_user WHERE email = 'olivia@example.com'",
        "package": "subscriptions_item WHERE kind = 'package' AND size > 0",
        "paygo": "subscriptions_item WHERE kind = 'package' AND held_at_install",
        "extra": "subscriptions_item WHERE sku = 'addon-crm'",
    }[name]
    return int(sql(f"SELECT id FROM {where} ORDER BY id LIMIT 1")[0][0])


def make_world() -> World:
    """Return the rows, with all that PostgreSQL does at commit already done."""
    load_catalogue(catalogue_content())
    User.objects.system_member()
    owner = User.objects.create_user("olivia@example.com", PASSWORD)
    staff = User.objects.create_user("tom@example.com", PASSWORD, is_staff=True)
    staff.groups.add(Group.objects.get(name=ONBOARDING_TEAM))
    biller = User.objects.create_user("bea@example.com", PASSWORD, is_staff=True)
    biller.groups.add(Group.objects.get(name=BILLING_TEAM))
    trial, live = (_account(number, owner) for number in ("100001", "100002"))
    install(trial, edition="cc-pro", by=owner, now=INSTALLED)
    customer(live, by=owner, team=staff)
    number_of(live, "+18005550100", by=owner)
    number_of(trial, "+18005550101", by=owner)
    called("c1", "c2", minutes=100)
    bill()
    invoice = Invoice.objects.get()
    issue_credit_note(live, invoice, amount=Decimal(1), reason="Late", by=biller)
    settle()
    return World(
        trial,
        live,
        mode=Onboarding.objects.get(account=trial),
        activation=Onboarding.objects.get(account=live),
        center=ContactCenter.objects.get(account=trial),
        held=Holding.objects.open().get(account=live, slot=-1),
        change=SubscriptionChange.objects.filter(account=live).latest("version"),
        invoice=invoice,
        call=CallRecord.objects.get(call_id="c1"),
        note=CreditNote.objects.get(),
        staff=staff,
    )


def _account(number: str, owner: User) -> Account:
    account = Account.objects.create(number=number, company=f"Company {number}", timezone="America/New_York")
    Account.objects.filter(pk=account.pk).update(created_at=CREATED)
    Contact.objects.create(account=account, user=owner, role=Role.OWNER)
    return account


Attack = str | Callable[[World], None]


def again(table: str, key: str, **values: str) -> Callable[[World], None]:
    """Return an attack that inserts a row of the world once more with SQL, some columns set to SQL expressions."""

    def attack(world: World) -> None:
        columns = _columns(table)
        sql(f"INSERT INTO {table} ({', '.join(columns)}) {_selected(world, table, key, values)}")

    return attack


def again_by_copy(table: str, key: str, **values: str) -> Callable[[World], None]:
    """Return an attack that adds the same row with COPY."""

    def attack(world: World) -> None:
        [row] = sql(_selected(world, table, key, values))
        copy = f"COPY {table} ({', '.join(_columns(table))}) FROM STDIN"
        with connection.wrap_database_errors, connection.cursor() as cursor, cursor.copy(copy) as into:
            into.write_row(list(row))

    return attack


def _columns(table: str) -> list[str]:
    rows = sql(
        "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped "
        "AND attgenerated = '' AND attname <> 'id' ORDER BY attnum",
        table,
    )
    return [name for (name,) in rows]


def _selected(world: World, table: str, key: str, values: dict[str, str]) -> str:
    keys = world.keys()
    expressions = (values.get(column, column).format(**keys) for column in _columns(table))
    return f"SELECT {', '.join(expressions)} FROM {table} WHERE id = {keys[key]}"
