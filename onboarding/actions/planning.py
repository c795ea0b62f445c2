"""What the Onboarding team decides about an account in onboarding: its owner, its deadline, and notes (R23)."""

from collections.abc import Collection, Iterator, Sequence
from datetime import date, datetime

from django.conf import settings
from django.core.exceptions import ValidationError

from accounts.acting import action
from accounts.models import Account, User
from accounts.roles import is_staff_with
from core.chunks import CHUNK
from core.clock import database_now
from core.dates import day_in_words
from core.refusals import AlreadyDone
from onboarding.actions.changes import PlanChange, PlanChanges, change_many, change_one, require_team
from onboarding.actions.refusals import not_installed_refusal
from onboarding.actions.words import checked_words
from onboarding.deadlines import FURTHEST, deadline_of
from onboarding.models import DeadlineRule, Note, NoticeKind, Onboarding
from onboarding.notices.enqueue import enqueue

PLANNER = "onboarding.change_onboarding"
ACTIVATOR = "onboarding.activate_account"


@action
def assign_owner(account: Account, *, owner: User | None, by: User, now: datetime | None = None) -> Onboarding:
    """Say who of the team looks after the account, or nobody, and return its mode.

    Refused where that is not active staff who may activate; AlreadyDone where he looks after it already. Like every
    verb here it needs the permission `onboarding.change_onboarding` of active staff (PermissionDenied), and is refused
    for an account that is active or has no Contact Center.
    """
    return change_one(account, _owner(owner), by=by, now=now)


def assign_owner_many(
    accounts: Collection[int], *, owner: User | None, by: User, now: datetime | None = None, chunk: int = CHUNK
) -> Iterator[PlanChanges]:
    """Do as `assign_owner` for each of these accounts; see `change_many`."""
    return change_many(accounts, _owner(owner), by=by, now=now, chunk=chunk)


@action
def write_note(account: Account, *, text: str, by: User, now: datetime | None = None) -> Note:
    """Keep words about the account for the team and return them; an active account may have notes too."""
    require_team(by, PLANNER)
    text = checked_words(text, field="text", missing="Write something to keep.", longest=4_000)
    if not Onboarding.objects.filter(account=account).exists():
        raise not_installed_refusal(account.number)
    return Note.objects.create(account=account, text=text, written_by=by, written_at=now or database_now())


@action
def set_deadline(account: Account, *, on: date, reason: str, by: User, now: datetime | None = None) -> Onboarding:
    """Give the account a deadline of its own, later or sooner than the policy's, and return its mode.

    It is the last day of onboarding. Refused for a day that has passed where the account is, or is over a year away.
    People are told; what was announced by the earlier deadline is not true any more, and they are warned anew.
    """
    return change_one(account, _deadline(on, reason), by=by, now=now)


def set_deadline_many(
    accounts: Collection[int], *, on: date, reason: str, by: User, now: datetime | None = None, chunk: int = CHUNK
) -> Iterator[PlanChanges]:
    """Do as `set_deadline` for each of these accounts; see `change_many`."""
    return change_many(accounts, _deadline(on, reason), by=by, now=now, chunk=chunk)


@action
def remove_deadline(account: Account, *, reason: str, by: User, now: datetime | None = None) -> Onboarding:
    """Let the account stay in onboarding until the team activates it, and return its mode. People are told."""
    reason = checked_words(reason, field="reason", missing="Say why the account has no deadline.")

    def apply(onboarding: Onboarding, today: date) -> None:
        _set_rule(onboarding, DeadlineRule.NONE, None, reason)

    return change_one(
        account,
        PlanChange("remove_deadline", PLANNER, "Deadline removed", apply, tell_deadline, _lasts_until),
        by=by,
        now=now,
    )


@action
def follow_policy(account: Account, *, by: User, now: datetime | None = None) -> Onboarding:
    """Give the account the deadline of the policy again, if there is one, and return its mode. People are told.

    AlreadyDone where it follows the policy.
    """

    def apply(onboarding: Onboarding, today: date) -> None:
        if onboarding.deadline_rule == DeadlineRule.POLICY:
            raise AlreadyDone("The account follows the policy of all accounts already.", code="follows_policy")
        _set_rule(onboarding, DeadlineRule.POLICY, None, "")

    return change_one(
        account,
        PlanChange("follow_policy", PLANNER, "Follows the policy", apply, tell_deadline, _lasts_until),
        by=by,
        now=now,
    )


def _owner(owner: User | None) -> PlanChange:
    """Return the change of who looks after an account."""

    def apply(onboarding: Onboarding, today: date) -> None:
        if onboarding.owner_id == (owner.pk if owner else None):
            whose = f"{owner} looks" if owner else "Nobody looks"
            raise AlreadyDone(f"{whose} after account {onboarding.account.number} already.", code="same_owner")
        onboarding.owner = owner

    if owner is not None and not is_staff_with(owner, ACTIVATOR):
        raise ValidationError(
            {
                "owner": ValidationError(
                    "Choose a member of the Onboarding team: %(tried)s can't activate accounts.",
                    code="not_on_the_team",
                    params={"tried": owner},
                )
            }
        )
    return PlanChange("assign_owner", PLANNER, "Owner assigned" if owner else "Owner removed", apply)


def _deadline(on: date, reason: str) -> PlanChange:
    """Return the change of an account's deadline to a day of its own."""
    reason = checked_words(reason, field="reason", missing="Say why the account has a deadline of its own.")

    def apply(onboarding: Onboarding, today: date) -> None:
        check_day(on, today, code="deadline_date")
        _set_rule(onboarding, DeadlineRule.FIXED, on, reason)

    return PlanChange("set_deadline", PLANNER, "Deadline set", apply, tell_deadline, _lasts_until)


def check_day(on: date, today: date, *, code: str) -> None:
    """Refuse a day that has passed where the account is, or is too far away to plan for."""
    if today <= on <= today + FURTHEST:
        return
    raise ValidationError(
        {
            "on": ValidationError(
                "Choose a day from today, %(today)s, to a year from now.",
                code=code,
                params={"today": day_in_words(today), "tried": on},
            )
        }
    )


def _set_rule(onboarding: Onboarding, rule: DeadlineRule, on: date | None, reason: str) -> None:
    onboarding.deadline_rule, onboarding.deadline_on, onboarding.deadline_reason = rule.value, on, reason
    if onboarding.scheduled_on is None:
        onboarding.announced_for = None


def _lasts_until(onboarding: Onboarding) -> date | None:
    """Return the deadline as customers know it: the team's reason for it is not told."""
    return deadline_of(onboarding, settings.ONBOARDING_DEADLINE_DAYS)


def tell_deadline(rows: Sequence[Onboarding], now: datetime) -> None:
    """Enqueue the notice of each account's deadline as it now stands; accounts with the same one in one statement."""
    same: dict[tuple[str, str], list[int]] = {}
    for row in rows:
        deadline = _lasts_until(row)
        same.setdefault((deadline.isoformat() if deadline else "", row.deadline_reason), []).append(row.account_id)
    for (day, reason), accounts in same.items():
        data = {"deadline": day, "reason": reason}
        enqueue(accounts, NoticeKind.EXTENDED, occasion=now.isoformat(), now=now, data=data)
