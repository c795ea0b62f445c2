"""The verb that changes what is held: the whole wanted state, or every reason against it; and its rehearsal."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
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
from subscriptions.rules import Catalogue, Subscription, confirmation_digest, refuse_subscription


@dataclass(frozen=True)
class Confirmation:
    """What a customer confirmed: the one form it came from, and the digest of what that form showed."""

    key: UUID
    confirmation_digest: str


@dataclass(frozen=True)
class Proposal:
    """What a purchase would change, and the digest of all that was looked at to say so."""

    wanted: Subscription
    differences: Sequence[Difference]
    confirmation_digest: str


@partial(action, records_as="change_subscription")
def propose_subscription(account: Account, wanted: Subscription, *, by: User, now: datetime | None = None) -> Proposal:
    """Return what `change_subscription` would change, refused as it would be; nothing is bought."""
    facts = _facts(account, by=by, now=now)
    facts.check(wanted)
    changes = differences(
        wanted,
        chosen=facts.held,
        in_force=in_force(facts.center, facts.now),
        edition=facts.center.edition,
        catalogue=facts.catalogue,
    )
    return Proposal(wanted, list(changes), facts.digest_of(wanted))


@action
def change_subscription(
    account: Account,
    wanted: Subscription,
    *,
    by: User,
    confirmation: Confirmation | None = None,
    now: datetime | None = None,
) -> SubscriptionChange:
    """Make the account hold `wanted`, all of it or nothing, and return the change.

    Refused with every reason at once, by field (`rules.refuse_subscription`). With a `confirmation`, refused as stale
    where anything its page was made from has changed since (R15). Asking for what is held already, or confirming the
    same form again, answers AlreadyDone and writes nothing.
    """
    facts = _facts(account, by=by, now=now)
    if confirmation and (done := SubscriptionChange.objects.filter(confirmation=confirmation.key).first()):
        raise AlreadyDone(
            _("You have confirmed this already, on %(at)s. Nothing was changed twice."),
            code="already_confirmed",
            params={"at": moment_in_words(done.at, account.zone)},
        )
    if confirmation and confirmation.confirmation_digest != facts.digest_of(wanted):
        raise ValidationError(
            _(
                "Something changed since this page was made: the subscription, a price, or the mode of the account. "
                "Look at the changes below again and confirm them anew."
            ),
            code="stale",
        )
    facts.check(wanted)
    return write_change(
        facts.center,
        wanted,
        catalogue=facts.catalogue,
        by=by,
        now=facts.now,
        confirmation=confirmation.key if confirmation else None,
    )


@dataclass(frozen=True)
class _Facts:
    """All that a change is decided from, read under the account's lock."""

    center: ContactCenter
    held: Subscription
    catalogue: Catalogue
    now: datetime
    today: date

    def check(self, wanted: Subscription) -> None:
        """Raise every reason against `wanted`, or AlreadyDone where it is what is held."""
        reasons = refuse_subscription(
            wanted,
            held=self.held,
            edition=self.center.edition,
            catalogue=self.catalogue,
            onboarding=self.center.account.onboarding,
            today=self.today,
        )
        if reasons:
            raise ValidationError(reasons)
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


def _facts(account: Account, *, by: User, now: datetime | None) -> _Facts:
    """Return the facts; refused for somebody who may not change it, and for what comes before something decided.

    That is a moment before the latest change, and a day before that of the latest change or of the activation: a
    corrected time zone can put today before them (billing policy 15).
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
    return _Facts(center, held_by(center), catalogue_on(today), now, today)
