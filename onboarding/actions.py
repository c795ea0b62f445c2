"""The verbs of onboarding: activate an account for good, ask for it, take the request back."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import DatabaseError, IntegrityError, connection, transaction

from accounts.actions import AlreadyDone, action, database_now
from accounts.guards import sentence_of
from accounts.history import credit, insert_history
from accounts.models import Account, Refusal, User
from accounts.roles import Capability, require
from onboarding import rules
from onboarding.models import GoLiveRequest, Onboarding, Origin

CHUNK = 5_000
FURTHEST_WANTED_DATE = timedelta(days=365)


@action
def activate(
    account: Account, *, by: User, reason: str, origin: Origin = Origin.ADMIN, now: datetime | None = None
) -> Onboarding:
    """End the account's onboarding, for good, and return it as it now stands (R8–R10).

    Needs the permission `onboarding.activate_account` of active staff (PermissionDenied). Refused without a reason, and
    where the account has no Contact Center; an active account answers AlreadyDone, and nothing is written.
    """
    require_activator(by)
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
    require_activator(by)
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
            require_activator(by)
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


def require_activator(by: User) -> None:
    """Raise PermissionDenied unless the user, as he is in the database now, may activate accounts (R8, I5)."""
    current = User.objects.filter(pk=by.pk, is_active=True, is_staff=True).first()
    if current is None or not current.has_perm("onboarding.activate_account"):
        raise PermissionDenied("Only the Onboarding team can activate an account.")


def checked_reason(reason: str) -> str:
    """Return the reason without blanks around it; refused where nothing is left."""
    if not isinstance(reason, str) or not reason.strip() or "\0" in reason:
        raise ValidationError({"reason": ValidationError("Say why the account is activated.", code="reason_missing")})
    return reason.strip()


def no_contact_center(number: str) -> ValidationError:
    """Return the refusal of something that needs Contact Center on an account that has none."""
    return ValidationError(
        "Contact Center is not installed on account %(number)s.", code="not_installed", params={"number": number}
    )


@action
def request_go_live(
    account: Account, *, wanted_on: date, note: str = "", by: User, now: datetime | None = None
) -> GoLiveRequest:
    """Ask the Onboarding team to activate the account on a day, and return the request (R17).

    Refused for a day that has passed where the account is or is over a year away, where a request waits already,
    and for an account that is active or has no Contact Center.
    """
    require(Capability.CHANGE_SERVICES, by, account)
    onboarding = Onboarding.objects.select_related("account").filter(account=account).first()
    if onboarding is None:
        raise no_contact_center(account.number)
    if refusal := rules.refuse_activation(onboarding):
        raise refusal
    now = now or database_now()
    today = account.day_of(now)
    if not today <= wanted_on <= today + FURTHEST_WANTED_DATE:
        raise ValidationError(
            {
                "wanted_on": ValidationError(
                    "Choose a day from today, %(today)s, to a year from now.",
                    code="wanted_date",
                    params={"today": f"{today:%B} {today.day}, {today.year}", "tried": wanted_on},
                )
            }
        )
    request = GoLiveRequest(account=account, wanted_on=wanted_on, note=note.strip(), requested_by=by, requested_at=now)
    request.full_clean()
    credit(request, by, now).save()
    return request


@action
def withdraw_go_live(account: Account, *, by: User, now: datetime | None = None) -> GoLiveRequest:
    """Take the waiting request back and return it; refused where none waits."""
    require(Capability.CHANGE_SERVICES, by, account)
    request = GoLiveRequest.objects.open().filter(account=account).first()
    if request is None:
        raise ValidationError("There is no request to withdraw.", code="no_request")
    request.withdrawn_at = now or database_now()
    request.withdrawn_by = by
    credit(request, by, request.withdrawn_at).save(update_fields=["withdrawn_at", "withdrawn_by"])
    return request
