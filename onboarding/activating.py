"""Activates accounts, a single one or chunks of thousands, with the same checks and the same statement."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.core.exceptions import ValidationError
from django.db import connection

from accounts.acting import rows_of
from accounts.models import Account, Refusal, User
from accounts.models.account import unknown_zone
from accounts.roles import require_staff
from accounts.zones import day_in, known_zone, known_zones
from core.chunks import commit_or_bisect
from core.clock import database_now
from core.history import insert_history
from onboarding import rules
from onboarding.daily_cap import can_be_activated, lock_day, why_no_more
from onboarding.models import NoticeKind, Onboarding, Origin
from onboarding.notices.enqueue import enqueue

Choice = Callable[[Sequence[int], datetime], Mapping[int, str]]
Veto = Callable[[Sequence[int], datetime], Mapping[int, str]]


def checkpoint(name: str) -> None:
    """Do nothing: tests kill the process here."""


@dataclass
class Activations:
    """The outcome of a chunk: the keys of the activated accounts, and the reason for each refused or left out one.

    An account is refused if it can't be activated, and left out if it can, but something speaks against it.
    """

    activated: list[int] = field(default_factory=list)
    refused: dict[int, str] = field(default_factory=dict)
    left_out: dict[int, str] = field(default_factory=dict)


def activate_chunk(
    keys: Sequence[int], *, by: User, origin: Origin, now: datetime | None, chosen: Choice, unless: Veto | None = None
) -> Activations:
    """Activate the accounts that `chosen` still selects once they are locked, and return the outcome.

    `chosen` gets the keys of the locked accounts and the time, and returns the reason for each account to activate; the
    others are skipped and not reported. `unless` gets the same, and returns why accounts in onboarding are left out.
    Accounts beyond the day's cap are refused. If the database refuses an account, the others are still activated.
    """
    outcome = Activations()

    def write(some: Sequence[int]) -> Activations:
        locked = list(Account.objects.locked().filter(pk__in=some).values_list("pk", flat=True))
        checkpoint("after lock")
        require_activator(by, origin)
        at = now or database_now()
        left_out = dict(unless(locked, at)) if unless else {}
        reasons = {key: reason for key, reason in chosen(locked, at).items() if key not in left_out}
        over = {} if origin == Origin.SCHEDULE else _over_the_cap(reasons, by, at)
        allowed = {key: reason for key, reason in reasons.items() if key not in over}
        activated = write_activations(allowed, by=by, origin=origin, now=at)
        refused = set(some).difference(activated, set(locked).difference(reasons), over)
        checkpoint("before commit")
        return Activations(activated, refusals_of(refused) | over, left_out)

    def done(written: Activations) -> None:
        outcome.activated += written.activated
        outcome.refused |= written.refused
        outcome.left_out |= written.left_out
        _record_not_installed(written.refused, by)

    commit_or_bisect(keys, write, done, outcome.refused)
    return outcome


def _over_the_cap(keys: Collection[int], by: User, now: datetime) -> dict[int, str]:
    """Return why accounts, by key, are more than the user may activate today: those that are youngest in onboarding."""
    left = lock_day(by, now)
    if left is None:
        return {}
    waiting = can_be_activated(keys).oldest_first().values_list("account_id", flat=True)
    return dict.fromkeys(waiting[left:], why_no_more(0))


def _record_not_installed(refused: Mapping[int, str], by: User) -> None:
    """Record a Refusal for each refused account without Contact Center; an account that was active needs none."""
    without = Account.objects.filter(pk__in=refused, onboarding=None).order_by("pk")
    Refusal.objects.bulk_create(
        row
        for account in without
        for row in rows_of(account, by, "activate", ValidationError(refused[account.pk], code="not_installed"))
    )


def refusals_of(accounts: Collection[int]) -> dict[int, str]:
    """Return by key why accounts can't be activated, without those that can. At most two queries."""
    if not accounts:
        return {}
    waiting = Onboarding.objects.in_onboarding().filter(account__in=accounts)
    zones = dict(waiting.values_list("account_id", "account__timezone"))
    refused = dict.fromkeys(sorted(set(accounts) - set(zones)), "Contact Center is not installed on this account.")
    refused |= {key: unknown_zone(zone) for key, zone in zones.items() if known_zone(zone) is None}
    for row in Onboarding.objects.active().filter(account__in=refused).select_related("account"):
        if refusal := rules.activation_refusal(row):
            refused[row.account_id] = refusal.messages[0]
    return refused


def write_activations(reasons: Mapping[int, str], *, by: User, origin: Origin, now: datetime) -> list[int]:
    """Activate these accounts, with their history and notices, and return their keys. The caller holds their locks.

    An account with an unknown time zone is left out, since its day of activation can't be computed.
    """
    activate_all = (
        "WITH activated AS (UPDATE onboarding_onboarding o SET activated_at = %(now)s, activated_on = here.day, "  # noqa: S608
        "activated_by_id = %(by)s, activated_from = %(origin)s, reason = given.reason "
        "FROM unnest(%(keys)s::bigint[], %(reasons)s::text[]) AS given (key, reason) "
        "JOIN accounts_account a ON a.id = given.key "
        "JOIN unnest(%(zones)s::text[], %(days)s::date[]) AS here (zone, day) ON here.zone = a.timezone "
        "WHERE o.account_id = given.key AND o.activated_at IS NULL RETURNING o.*), "
        f"history AS ({insert_history(Onboarding, 'activated')}) "
        "SELECT account_id FROM activated"
    )
    with connection.cursor() as cursor:
        cursor.execute(
            activate_all,
            {
                "keys": list(reasons),
                "reasons": list(reasons.values()),
                "zones": [zone.key for zone in known_zones()],
                "days": [day_in(zone, now) for zone in known_zones()],
                "now": now,
                "by": by.pk,
                "origin": origin.value,
                "history_date": now,
                "history_user_id": by.pk,
                "history_change_reason": "Activated",
            },
        )
        activated = [key for (key,) in cursor.fetchall()]
    checkpoint("after activation")
    enqueue(activated, NoticeKind.ACTIVATED, occasion="activated", now=now)
    return activated


def require_activator(by: User, origin: Origin) -> None:
    """Raise PermissionDenied unless the user may activate accounts according to the database (R8, I5).

    Active staff with the permission may, and the system member may if the origin is the schedule.
    """
    if origin == Origin.SCHEDULE and User.objects.filter(pk=by.pk, is_active=True, is_system=True).exists():
        return
    require_staff(by, "onboarding.activate_account", "Only the Onboarding team can activate an account.")


def required_reason(reason: str) -> str:
    """Return the reason without surrounding whitespace. Raises ValidationError if it is empty or contains NUL."""
    if not isinstance(reason, str) or not reason.strip() or "\0" in reason:
        raise ValidationError({"reason": ValidationError("Enter a reason for the activation.", code="reason_missing")})
    return reason.strip()
