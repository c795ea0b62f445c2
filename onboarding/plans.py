"""How a plan for accounts is changed: one account or many, by the same checks and the same statement (R23)."""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db import connection

from accounts.acting import rows_of
from accounts.models import Account, Refusal, User
from accounts.roles import require_staff
from core.chunks import CHUNK, commit_or_bisect
from core.clock import database_now
from core.history import insert_history
from core.refusals import AlreadyDone
from onboarding import rules
from onboarding.models import Onboarding
from onboarding.refusals import not_installed_refusal

PLAN_FIELDS = (
    *("owner", "deadline_rule", "deadline_on", "deadline_reason"),
    *("scheduled_on", "scheduled_by", "schedule_reason", "announced_for"),
)


def no_notice(rows: Sequence[Onboarding], now: datetime) -> None:
    """Enqueue no notice: customers are not told who looks after them."""


def _never_equal(row: Onboarding) -> object:
    """Return what equals nothing, so that each change is told."""
    return object()


@dataclass(frozen=True)
class PlanChange:
    """A change of what is planned: its verb, the permission it needs, what history calls it, and what it does.

    `apply` gets the mode of one account and its local day and sets what changes, or raises a refusal; `tell` gets the
    rows that are to be told of, and enqueues their notices. Where `fact` is the same as before, customers would read
    what they know, so nothing is told.
    """

    verb: str
    permission: str
    called: str
    apply: Callable[[Onboarding, date], None]
    tell: Callable[[Sequence[Onboarding], datetime], None] = no_notice
    fact: Callable[[Onboarding], object] = _never_equal


@dataclass
class PlanChanges:
    """What became of a chunk of accounts: keys changed, and the reason for each that was refused."""

    changed: list[int] = field(default_factory=list)
    refused: dict[int, str] = field(default_factory=dict)


def change_one(account: Account, change: PlanChange, *, by: User, now: datetime | None) -> Onboarding:
    """Change the plan of the account, whose lock the caller holds, and return its mode as it now stands."""
    require_team(by, change.permission)
    onboarding = Onboarding.objects.select_related("account").filter(account=account).first()
    if onboarding is None:
        raise not_installed_refusal(account.number)
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
    """Change the plans of the accounts with these keys, yielding what became of each chunk once it is committed.

    Who is refused is set aside with the reason, and leaves a Refusal; the others go on. Raises PermissionDenied before
    the first chunk, and before any at which the permission is gone.
    """
    require_team(by, change.permission)
    keys = sorted(set(accounts))
    for start in range(0, len(keys), chunk):
        outcome = PlanChanges()

        def write(some: Sequence[int]) -> tuple[list[int], dict[int, ValidationError]]:
            return _change_chunk(some, change, by, now)

        def done(written: tuple[list[int], dict[int, ValidationError]], outcome: PlanChanges = outcome) -> None:
            changed, refused = written
            outcome.changed += changed
            outcome.refused |= {key: refusal.messages[0] for key, refusal in refused.items()}
            _record(refused, by, change.verb)

        commit_or_bisect(keys[start : start + chunk], write, done, outcome.refused)
        yield outcome


def _change_chunk(
    keys: Sequence[int], change: PlanChange, by: User, now: datetime | None
) -> tuple[list[int], dict[int, ValidationError]]:
    """Change these accounts under their locks; return the keys of those changed, and the refusals of the others."""
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
    """Leave the Refusals of these accounts; what was done already was no refusal, and an unknown key is no account."""
    told = {key: refusal for key, refusal in refused.items() if not isinstance(refusal, AlreadyDone)}
    known = Account.objects.in_bulk([key for key in told if key < 2**63])
    Refusal.objects.bulk_create(
        row for key, account in sorted(known.items()) for row in rows_of(account, by, verb, told[key])
    )


def write_plans(rows: Sequence[Onboarding], *, by: User, called: str, now: datetime) -> None:
    """Write what is planned for these accounts as it stands in memory, and their history: one statement.

    The caller holds the accounts' locks. The plan of an active account is left as it was.
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
    """Raise PermissionDenied unless the user, as they are in the database now, is active staff with the permission."""
    require_staff(by, permission, "Only the Onboarding team can do this.")


PLANNER = "onboarding.change_onboarding"
ACTIVATOR = "onboarding.activate_account"
