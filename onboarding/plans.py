"""Changes the plans of one or many accounts, with the same checks and the same statement (R23)."""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db import connection

from accounts.acting import rows_of
from accounts.models import Account, Refusal, User
from accounts.roles import require_staff
from core.chunks import CHUNK, commit_or_bisect, cut
from core.clock import database_now
from core.history import insert_history
from core.refusals import AlreadyDone
from onboarding import rules
from onboarding.models import Onboarding
from onboarding.refusals import not_installed_refusal, onboarding_of

PLAN_FIELDS = (
    *("owner", "deadline_rule", "deadline_on", "deadline_reason"),
    *("scheduled_on", "scheduled_by", "schedule_reason", "announced_for"),
)


def no_notice(rows: Sequence[Onboarding], now: datetime) -> None:
    """Enqueue no notice. Customers are not told, for example, who the account's owner is."""


def _never_equal(row: Onboarding) -> object:
    """Return an object that equals no other, so that every change leads to a notice."""
    return object()


@dataclass(frozen=True)
class PlanChange:
    """A change of an account's plan: its verb, the permission it needs, and `called`, its text in the history.

    `apply` gets the mode of one account and its local day, and changes the mode or raises ValidationError. `tell` gets
    the rows to notify about and enqueues their notices. If `fact` returns the same as before the change, the notice
    would tell customers what they already know, so none is enqueued.
    """

    verb: str
    permission: str
    called: str
    apply: Callable[[Onboarding, date], None]
    tell: Callable[[Sequence[Onboarding], datetime], None] = no_notice
    fact: Callable[[Onboarding], object] = _never_equal


@dataclass
class PlanChanges:
    """The outcome of a chunk: the keys of the changed accounts, and the reason for each refused one."""

    changed: list[int] = field(default_factory=list)
    refused: dict[int, str] = field(default_factory=dict)


def change_one(account: Account, change: PlanChange, *, by: User, now: datetime | None) -> Onboarding:
    """Change the plan of the account, whose lock the caller holds, and return its updated mode.

    Raises PermissionDenied without the permission of the change, and ValidationError if the account has no Contact
    Center, is active, or if the change refuses.
    """
    require_team(by, change.permission)
    onboarding = onboarding_of(account)
    if refusal := rules.activation_refusal(onboarding):
        raise refusal
    now = now or database_now()
    was = change.fact(onboarding)
    change.apply(onboarding, account.day_of(now))
    write_plans([onboarding], by=by, called=change.called, now=now)
    change.tell([onboarding] if change.fact(onboarding) != was else [], now)
    return onboarding


def change_many(
    accounts: Collection[int], change: PlanChange, *, by: User, now: datetime | None = None, chunk: int = CHUNK
) -> Iterator[PlanChanges]:
    """Change the plans of the accounts with these primary keys, yielding each chunk's outcome once it is committed.

    Refused accounts are returned with the reason and recorded as Refusals; the others are still changed. Raises
    PermissionDenied before the first chunk, and before any later chunk if the permission was revoked.
    """
    require_team(by, change.permission)
    keys = sorted(set(accounts))
    for part in cut(keys, chunk):
        outcome = PlanChanges()

        def write(some: Sequence[int]) -> tuple[list[int], dict[int, ValidationError]]:
            return _change_chunk(some, change, by, now)

        def done(written: tuple[list[int], dict[int, ValidationError]], outcome: PlanChanges = outcome) -> None:
            changed, refused = written
            outcome.changed += changed
            outcome.refused |= {key: refusal.messages[0] for key, refusal in refused.items()}
            _record(refused, by, change.verb)

        commit_or_bisect(part, write, done, outcome.refused)
        yield outcome


def _change_chunk(
    keys: Sequence[int], change: PlanChange, by: User, now: datetime | None
) -> tuple[list[int], dict[int, ValidationError]]:
    """Lock and change these accounts; return the keys of the changed ones, and the refusals of the others by key."""
    numbers = dict(Account.objects.locked().filter(pk__in=keys).values_list("pk", "number"))
    require_team(by, change.permission)
    now = now or database_now()
    rows = {row.account_id: row for row in Onboarding.objects.select_related("account").filter(account__in=keys)}
    changed, told, refused = [], [], {}
    for key in keys:
        row = rows.get(key)
        try:
            if row is None:
                raise not_installed_refusal(numbers.get(key, str(key)))
            if refusal := rules.activation_refusal(row):
                raise AlreadyDone(refusal)
            was = change.fact(row)
            change.apply(row, row.account.day_of(now))
        except ValidationError as refusal:
            refused[key] = refusal
        else:
            assert row is not None
            changed.append(row)
            if change.fact(row) != was:
                told.append(row)
    write_plans(changed, by=by, called=change.called, now=now)
    change.tell(told, now)
    return [row.account_id for row in changed], refused


def _record(refused: dict[int, ValidationError], by: User, verb: str) -> None:
    """Record a Refusal for each of these accounts, except for AlreadyDone and for keys without an account."""
    told = {key: refusal for key, refusal in refused.items() if not isinstance(refusal, AlreadyDone)}
    known = Account.objects.in_bulk([key for key in told if key < 2**63])
    Refusal.objects.bulk_create(
        row for key, account in sorted(known.items()) for row in rows_of(account, by, verb, told[key])
    )


def write_plans(rows: Sequence[Onboarding], *, by: User, called: str, now: datetime) -> None:
    """Write the plans of these rows, as they are in memory, and their history in one statement.

    The caller holds the accounts' locks. The plan of an active account is not changed.
    """
    if not rows:
        return
    fields: list[Any] = [Onboarding._meta.get_field(name) for name in PLAN_FIELDS]
    columns = [plan.column for plan in fields]
    arrays = ", ".join(f"%({plan.column})s::{plan.db_type(connection)}[]" for plan in fields)
    write = (
        f"WITH changed AS (UPDATE onboarding_onboarding o SET {', '.join(f'{c} = given.{c}' for c in columns)} "  # noqa: S608 - names of columns, from the model
        f"FROM unnest(%(key)s::bigint[], {arrays}) AS given (key, {', '.join(columns)}) "
        "WHERE o.id = given.key AND o.activated_at IS NULL RETURNING o.*) "
        f"{insert_history(Onboarding, 'changed')}"
    )
    values: dict[str, Any] = {plan.column: [getattr(row, plan.attname) for row in rows] for plan in fields}
    values |= {"key": [row.pk for row in rows]}
    values |= {"history_date": now, "history_user_id": by.pk, "history_change_reason": called}
    with connection.cursor() as cursor:
        cursor.execute(write, values)


def require_team(by: User, permission: str) -> None:
    """Raise PermissionDenied unless the user is active staff with the permission according to the database."""
    require_staff(by, permission, "Only the Onboarding team can do this.")


PLANNER = "onboarding.change_onboarding"
ACTIVATOR = "onboarding.activate_account"
