"""The verb that changes what is held: the whole wanted state, or every reason against it."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.core.exceptions import ValidationError

from accounts.actions import AlreadyDone, action, database_now
from accounts.models import Account, User
from accounts.roles import Capability, require
from subscriptions.actions.write import write_change
from subscriptions.catalogue import catalogue_on, contact_center_of, held_by
from subscriptions.models import Change
from subscriptions.rules import Subscription, basis, refuse_subscription


@dataclass(frozen=True)
class Confirmation:
    """What a customer confirmed: the one form it came from, and the digest of what that form showed (`rules.basis`)."""

    key: UUID
    basis: str


@action
def change_subscription(
    account: Account,
    wanted: Subscription,
    *,
    by: User,
    confirmation: Confirmation | None = None,
    now: datetime | None = None,
) -> Change:
    """Make the account hold `wanted`, all of it or nothing, and return the change.

    Refused with every reason at once, by field (`rules.refuse_subscription`). With a `confirmation`, refused as stale
    where anything its page was made from has changed since (R15). Asking for what is held already, or confirming the
    same form again, answers AlreadyDone and writes nothing.
    """
    require(Capability.CHANGE_SERVICES, by, account, or_permission="subscriptions.change_contactcenter")
    center = contact_center_of(account)
    if confirmation and (done := Change.objects.filter(confirmation=confirmation.key).first()):
        raise AlreadyDone(
            "You have confirmed this already, on %(at)s. Nothing was changed twice.",
            code="already_confirmed",
            params={"at": done.at.astimezone(account.zone).strftime("%B %-d at %H:%M")},
        )
    now = now or database_now()
    latest = Change.objects.filter(account=account).latest("version")
    if now < latest.at:
        raise ValidationError(
            "The subscription was changed after %(now)s: what is past can't be changed.",
            code="out_of_order",
            params={"now": now},
        )
    catalogue = catalogue_on(account.day_of(now))
    held = held_by(center)
    onboarding = center.account.onboarding
    if confirmation and confirmation.basis != basis(
        wanted, version=center.version, catalogue=catalogue, onboarding=onboarding
    ):
        raise ValidationError(
            "Something changed since this page was made: the subscription, a price, or the mode of the account. "
            "Look at the changes below again and confirm them anew.",
            code="stale",
        )
    reasons = refuse_subscription(wanted, held=held, edition=center.edition, catalogue=catalogue, onboarding=onboarding)
    if reasons:
        raise ValidationError(reasons)
    if wanted == held:
        raise AlreadyDone("This is what the account holds already. Nothing was changed.", code="no_change")
    return write_change(
        center,
        wanted,
        catalogue=catalogue,
        by=by,
        now=now,
        confirmation=confirmation.key if confirmation else None,
    )
