"""The action that shows what a purchase would change; it writes nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from accounts.acting import action
from accounts.models import Account, User
from subscriptions.catalogue import in_force
from subscriptions.changing import change_context
from subscriptions.differences import Difference, differences
from subscriptions.rules import Subscription


@dataclass(frozen=True)
class Proposal:
    """What a purchase would change, and the digest of everything that this depends on."""

    wanted: Subscription
    differences: Sequence[Difference]
    confirmation_digest: str


@action(records_as="change_subscription")
def propose_subscription(account: Account, wanted: Subscription, *, by: User, now: datetime | None = None) -> Proposal:
    """Return what `change_subscription` would change, or raise what it would raise; nothing is bought."""
    context = change_context(account, by=by, now=now)
    context.check(wanted)
    changes = differences(
        wanted,
        chosen=context.held,
        in_force=in_force(context.center, context.now),
        edition=context.center.edition,
        catalogue=context.catalogue,
    )
    return Proposal(wanted, list(changes), context.digest_of(wanted))
