"""The action that changes what an account holds: it takes the complete subscription that is wanted."""

from datetime import datetime

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from accounts.acting import action
from accounts.models import Account, User
from core.dates import moment_in_words
from core.refusals import AlreadyDone
from subscriptions.changing import Confirmation, change_context
from subscriptions.models import SubscriptionChange
from subscriptions.rules import Subscription
from subscriptions.writing import write_change


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
    context = change_context(account, by=by, now=now)
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
