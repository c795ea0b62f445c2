"""The verbs that end onboarding for good: for one account, and for thousands."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import DatabaseError, IntegrityError, connection, transaction

from accounts.actions import AlreadyDone, action, database_now
from accounts.guards import sentence_of
from accounts.history import insert_history
from accounts.models import Account, Refusal, User
from onboarding import rules
from onboarding.actions.refusals import no_contact_center
from onboarding.models import Onboarding, Origin

CHUNK = 5_000


@action
def activate(
    account: Account, *, by: User, reason: str, origin: Origin = Origin.ADMIN, now: datetime | None = None
) -> Onboarding:
    """End the account's onboarding, for good, and return it as it now stands (R8–R10).

    Needs the permission `onboarding.activate_account` of active staff (PermissionDenied). Refused without a reason, and
    where the account has no Contact Center; an active account answers AlreadyDone, and nothing is written.
    """
    require_activator(by, origin)
    reason = checked_reason(reason)
    onboarding = Onboarding.objects.select_related("account").filter(account=account).first()
    if onboarding is None:
        raise no_contact_center(account.number)
    if refusal := rules.refuse_activation(onboarding):
        raise AlreadyDone(refusal)
    _write_activations([account.pk], by=by, reason=reason, origin=origin, now=now or database_now())
    onboarding.refresh_from_db()
    return onboarding


@dataclass
class Activations:
    """What became of a chunk of accounts: keys activated, and the reason for each that was refused."""

    activated: list[int] = field(default_factory=list)
    refused: dict[int, str] = field(default_factory=dict)


def activate_many(
    accounts: Sequence[int],
    *,
    by: User,
    reason: str,
    origin: Origin = Origin.BATCH,
    now: datetime | None = None,
    chunk: int = CHUNK,
) -> Iterator[Activations]:
    """Activate the accounts with these keys, yielding what became of each chunk once it is committed.

    Each chunk is one transaction under the accounts' locks. An account that can't be activated is set aside with its
    reason and the others go on. Raises PermissionDenied or ValidationError before the first chunk, as `activate` does.
    """
    require_activator(by, origin)
    reason = checked_reason(reason)
    keys = sorted(set(accounts))
    for start in range(0, len(keys), chunk):
        outcome = Activations()
        _activate_chunk(keys[start : start + chunk], outcome, by=by, reason=reason, origin=origin, now=now)
        yield outcome


def _activate_chunk(
    keys: Sequence[int], outcome: Activations, *, by: User, reason: str, origin: Origin, now: datetime | None
) -> None:
    """Activate the chunk as one; where the database refuses it, halve it until the bad account stands alone."""
    try:
        with transaction.atomic():
            list(Account.objects.locked().filter(pk__in=keys).values_list("pk", flat=True))
            require_activator(by, origin)
            activated = _write_activations(keys, by=by, reason=reason, origin=origin, now=now or database_now())
            refused = refusals_of(set(keys).difference(activated))
    except DatabaseError as error:
        if len(keys) == 1:
            sentence = sentence_of(error) if isinstance(error, IntegrityError) else None
            outcome.refused[keys[0]] = sentence.text if sentence else f"{error}".strip().partition("\n")[0]
            return
        middle = len(keys) // 2
        for half in (keys[:middle], keys[middle:]):
            _activate_chunk(half, outcome, by=by, reason=reason, origin=origin, now=now)
        return
    outcome.activated += activated
    outcome.refused |= refused
    _record_not_installed(refused, by)


def _record_not_installed(refused: Mapping[int, str], by: User) -> None:
    """Leave a Refusal for each refused account without Contact Center; what was active already was no refusal."""
    without = Account.objects.filter(pk__in=refused, onboarding=None).values_list("pk", flat=True)
    Refusal.objects.bulk_create(
        Refusal(account_id=key, by=by, action="activate", rule="not_installed", message=refused[key]) for key in without
    )


def refusals_of(accounts: Collection[int]) -> dict[int, str]:
    """Return, by key, why these accounts can't be activated; those that can are left out. At most two queries."""
    if not accounts:
        return {}
    ready = set(Onboarding.objects.in_onboarding().filter(account__in=accounts).values_list("account_id", flat=True))
    refused = dict.fromkeys(sorted(set(accounts) - ready), "Contact Center is not installed on this account.")
    for row in Onboarding.objects.filter(account__in=refused).select_related("account"):
        if refusal := rules.refuse_activation(row):
            refused[row.account_id] = refusal.messages[0]
    return refused


def _write_activations(keys: Sequence[int], *, by: User, reason: str, origin: Origin, now: datetime) -> list[int]:
    """Activate these accounts and write their history; return the keys. The caller holds their locks."""
    activate_all = (
        "WITH activated AS (UPDATE onboarding_onboarding SET activated_at = %(now)s, activated_by_id = %(by)s, "  # noqa: S608
        "activated_from = %(origin)s, reason = %(reason)s "
        "WHERE account_id = ANY(%(keys)s) AND activated_at IS NULL RETURNING *), "
        f"history AS ({insert_history(Onboarding, 'activated')}) "
        "SELECT account_id FROM activated"
    )
    with connection.cursor() as cursor:
        cursor.execute(
            activate_all,
            {
                "keys": list(keys),
                "now": now,
                "by": by.pk,
                "origin": origin.value,
                "reason": reason,
                "history_date": now,
                "history_user_id": by.pk,
                "history_change_reason": "Activated",
            },
        )
        return [key for (key,) in cursor.fetchall()]


def require_activator(by: User, origin: Origin) -> None:
    """Raise PermissionDenied unless the user, as he is in the database now, may activate accounts (R8, I5).

    Those are active staff with the permission, and for the schedule its system member.
    """
    current = User.objects.filter(pk=by.pk, is_active=True).first()
    if current is not None and current.is_system and origin == Origin.SCHEDULE:
        return
    if current is None or not current.is_staff or not current.has_perm("onboarding.activate_account"):
        raise PermissionDenied("Only the Onboarding team can activate an account.")


def checked_reason(reason: str) -> str:
    """Return the reason without blanks around it; refused where nothing is left."""
    if not isinstance(reason, str) or not reason.strip() or "\0" in reason:
        raise ValidationError({"reason": ValidationError("Say why the account is activated.", code="reason_missing")})
    return reason.strip()
