"""The rows that the table of attacks acts on: made once by the actions, and rolled back after the last attack."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from django.contrib.auth.models import Group
from django.db import connection

from accounts.models import Account, Contact, NumberAssignment, PhoneNumber, Role, User
from billing.actions import issue_credit_note
from billing.models import (
    BillOnHold,
    CallRecord,
    CallRules,
    CreditNote,
    Invoice,
    LateMonth,
    RejectedCall,
    SetAsideCall,
)
from core.groups import BILLING_TEAM, ONBOARDING_TEAM
from core.outbox.models import EmailState, OutgoingEmail
from core.past import writing_history
from onboarding.models import Notice, Onboarding
from subscriptions.actions import install, load_catalogue
from subscriptions.models import ContactCenter, Holding, SubscriptionChange
from tests.billing.bills import IN_APRIL, MARCH, bill, called, customer, number_of
from tests.billing.call_rows import imported, row
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
    number: PhoneNumber  # the live account's
    assignment: NumberAssignment  # of that number
    unmatched: CallRecord
    old: CallRecord  # unmatched, of a month that is final
    aside: SetAsideCall
    reject: RejectedCall
    on_hold: BillOnHold  # the trial's
    late: LateMonth  # the trial's
    rules: CallRules
    notice: Notice
    email: OutgoingEmail  # the notice's, which waits
    sent: OutgoingEmail

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
    number = number_of(live, "+18005550100", by=owner)
    number_of(trial, "+18005550101", by=owner)
    PhoneNumber.objects.create(account=live, number="+18005550102")
    called("c1", "c2", minutes=100)
    imported([row("c3", to="+18005550102"), row("c1", seconds=9), row("c4", seconds="x")])
    old = unmatched_in_2024(CallRecord.objects.get(call_id="c3"))
    bill()
    invoice = Invoice.objects.get()
    issue_credit_note(live, invoice, amount=Decimal(1), reason="Late", by=biller)
    rules, _ = CallRules.objects.get_or_create(pk=1)
    settle()
    first, second = Notice.objects.order_by("pk")[:2]
    OutgoingEmail.objects.filter(pk=first.email_id).update(state=EmailState.SENT, settled_at=IN_APRIL)
    on_hold = BillOnHold.objects.create(account=trial, month=MARCH, total=9, why="Usage", held_at=IN_APRIL)
    late = LateMonth.objects.create(account=trial, month=MARCH)
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
        number=number,
        assignment=NumberAssignment.objects.get(number=number),
        unmatched=CallRecord.objects.get(call_id="c3", number="+18005550102"),
        old=old,
        aside=SetAsideCall.objects.get(),
        reject=RejectedCall.objects.get(),
        on_hold=on_hold,
        late=late,
        rules=rules,
        notice=second,
        email=second.email,
        sent=OutgoingEmail.objects.get(pk=first.email_id),
    )


def unmatched_in_2024(like: CallRecord) -> CallRecord:
    """Return a copy of an unmatched record, of a month that has long been final."""
    copy = CallRecord.objects.get(pk=like.pk)
    copy.pk, copy.call_id, copy.started_at = None, "old", datetime(2024, 3, 20, 16, tzinfo=UTC)
    with writing_history():
        copy.save(force_insert=True)
    return CallRecord.objects.get(call_id="old")


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
