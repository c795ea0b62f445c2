"""The action that changes what an account holds, and the one that shows what it would change.

Both take the complete subscription that is wanted, and refuse it with all reasons at once.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from accounts.acting import action
from accounts.models import Account, User
from accounts.roles import Capability, require
from core.clock import database_now
from core.dates import day_in_words_later, moment_in_words
from core.refusals import AlreadyDone
from subscriptions.actions.write import write_change
from subscriptions.catalogue import catalogue_on, contact_center_of, held_by, in_force
from subscriptions.differences import Difference, differences
from subscriptions.models import ContactCenter, SubscriptionChange
from subscriptions.rules import Catalogue, Subscription, confirmation_digest, subscription_refusal


@dataclass(frozen=True)
class Confirmation:
    """What a customer confirmed: the unique key of the form that they confirmed, and the digest of what it showed."""

    key: UUID
    confirmation_digest: str


@dataclass(frozen=True)
class Proposal:
    """What a purchase would change, and the digest of everything that this depends on."""

    wanted: Subscription
    differences: Sequence[Difference]
    confirmation_digest: str


@action(records_as="change_subscription")
def propose_subscription(account: Account, wanted: Subscription, *, by: User, now: datetime | None = None) -> Proposal:
    """Return what `change_subscription` would change, or raise what it would raise; nothing is bought."""
    context = _context(account, by=by, now=now)
    context.check(wanted)
    changes = differences(
        wanted,
        chosen=context.held,
        in_force=in_force(context.center, context.now),
        edition=context.center.edition,
        catalogue=context.catalogue,
    )
    return Proposal(wanted, list(changes), context.digest_of(wanted))


@action
def change_subscription(
    account: Account,
    wanted: Subscription,
    *,
    by: User,
    confirmation: Confirmation | None = None,
    now: datetime | None = None,
) -> SubscriptionChange:
    """Make the account hold exactly `wanted`, or change nothing, and return the change.

    Raises ValidationError with every reason at once, by field (`rules.subscription_refusal`). With a `confirmation`,
    raises one with the code `stale` if anything that its page depended on has changed since (R15). Raises AlreadyDone
    if `wanted` is what the account holds already, or if the same form was confirmed before.
    """
    context = _context(account, by=by, now=now)
    if confirmation and (done := SubscriptionChange.objects.filter(confirmation=confirmation.key).first()):
        raise AlreadyDone(
            _("You have confirmed this already, on %(at)s. Nothing was changed twice."),
            code="already_confirmed",
            params={"at": moment_in_words(done.at, account.zone)},
        )
    if confirmation and confirmation.confirmation_digest != context.digest_of(wanted):
        raise ValidationError(
            _(
                "Something changed since this page was made: the subscription, a price, or the mode of the account. "
                "Look at the changes below again and confirm them anew."
            ),
            code="stale",
        )
    context.check(wanted)
    return write_change(
        context.center,
        wanted,
        catalogue=context.catalogue,
        by=by,
        now=context.now,
        confirmation=confirmation.key if confirmation else None,
    )


@dataclass(frozen=True)
class _Context:
    """Everything that a change is decided by, read under the account's lock."""

    center: ContactCenter
    held: Subscription
    catalogue: Catalogue
    now: datetime
    today: date

    def check(self, wanted: Subscription) -> None:
        """Raise ValidationError with every reason against `wanted`, or AlreadyDone if it is what is held already."""
        refusal = subscription_refusal(
            wanted,
            held=self.held,
            edition=self.center.edition,
            catalogue=self.catalogue,
            onboarding=self.center.account.onboarding,
            today=self.today,
        )
        if refusal:
            raise refusal
        if wanted == self.held:
            raise AlreadyDone(_("This is what the account holds already. Nothing was changed."), code="no_change")

    def digest_of(self, wanted: Subscription) -> str:
        return confirmation_digest(
            wanted,
            version=self.center.version,
            edition=self.center.edition,
            catalogue=self.catalogue,
            onboarding=self.center.account.onboarding,
            today=self.today,
        )


def _context(account: Account, *, by: User, now: datetime | None) -> _Context:
    """Return what a change by this user, at this time, is decided by.

    Raises PermissionDenied if they may not change it. Raises ValidationError if `now` is before the latest change, or
    if today is before the day of the latest change or of the activation, which can happen after the account's time zone
    was corrected (billing policy 15).
    """
    require(Capability.CHANGE_SERVICES, by, account, or_permission="subscriptions.change_contactcenter")
    center = contact_center_of(account)
    now = now or database_now()
    today = account.decided_day(now)
    latest = SubscriptionChange.objects.filter(account=account).latest("version")
    if now < latest.at:
        raise ValidationError(
            _("The subscription was changed after %(now)s: what is past can't be changed."),
            code="out_of_order",
            params={"now": now},
        )
    last_day = max(latest.day, center.account.onboarding.activated_on or latest.day)
    if today < last_day:
        raise ValidationError(
            _(
                "The account's time zone was corrected, so today is earlier than the day of its last change. You can "
                "change the subscription from %(day)s."
            ),
            code="out_of_order",
            params={"day": day_in_words_later(last_day)},
        )
    return _Context(center, held_by(center), catalogue_on(today), now, today)
