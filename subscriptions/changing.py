"""The context in which a change of a subscription is checked, and the customer's confirmation."""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from accounts.models import Account, User
from accounts.roles import Capability, require
from core.clock import database_now
from core.dates import day_in_words_later
from core.refusals import AlreadyDone
from subscriptions.catalogue import catalogue_on, contact_center_of, held_by
from subscriptions.models import ContactCenter, SubscriptionChange
from subscriptions.rules import Catalogue, Subscription, confirmation_digest, subscription_refusal


@dataclass(frozen=True)
class Confirmation:
    """What a customer confirmed: the unique key of the form that they confirmed, and the digest of what it showed."""

    key: UUID
    confirmation_digest: str


@dataclass(frozen=True)
class ChangeContext:
    """Everything needed to check a change, read under the account's lock."""

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


def change_context(account: Account, *, by: User, now: datetime | None) -> ChangeContext:
    """Return the context of a change by this user at this time.

    Raises PermissionDenied if the user may not change the subscription. Raises ValidationError if `now` is before the
    latest change, or if today is before the day of the latest change or of the activation, which can happen after the
    account's time zone was corrected (billing policy 15).
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
    return ChangeContext(center, held_by(center), catalogue_on(today), now, today)
