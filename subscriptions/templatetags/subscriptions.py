"""Template tags about what is held, for admin pages that are composed of several apps."""

from collections.abc import Sequence
from typing import Any

from django import template

from onboarding.models import Notice
from onboarding.notices.messages import Batch
from subscriptions import held
from subscriptions.models import Holding, SubscriptionChange
from subscriptions.readiness import Readiness, readiness_of

register = template.Library()
SHOWN = 200


@register.simple_tag
def held_by_accounts(accounts: Sequence[int]) -> dict[int, held.SubscriptionSummary]:
    """Return what each of these accounts holds, by its key. One query for the whole page."""
    return held.held_by_accounts(accounts)


@register.simple_tag
def readiness_by_accounts(accounts: Sequence[int]) -> dict[int, Readiness]:
    """Return how ready each of these accounts is to go live, by its key. One query for the whole page."""
    found = readiness_of(accounts)
    return {account: found.get(account, Readiness()) for account in accounts}


@register.simple_tag
def announced_subscription(batch: Batch, notice: Notice) -> held.SubscriptionSummary | None:
    """Return what the account of a notice holds, or None without Contact Center. One query for the whole batch."""
    return batch.once(announced_subscription, lambda: held.held_by_accounts(batch.accounts)).get(notice.account_id)


@register.filter
def of_account(found: dict[int, Any], account: int) -> Any:
    """Return what is known of one account, out of what a tag above returned, or None."""
    return found.get(account)


@register.simple_tag
def ledger_of(account: int) -> dict[str, Any]:
    """Return the latest rows of an account's ledger, as a table of the admin."""
    rows = Holding.objects.filter(account=account).select_related("item", "change", "superseded_by").order_by("-pk")
    return {
        "headers": ["Item", "Quantity", "From", "Until", "Written by change", "Replaced by change"],
        "rows": [
            [
                row.item.name,
                row.quantity,
                row.period.lower,
                row.period.upper or "it is changed",
                row.change.version,
                row.superseded_by.version if row.superseded_by else "–",
            ]
            for row in rows[:SHOWN]
        ],
    }


@register.simple_tag
def changes_of(account: int) -> dict[str, Any]:
    """Return the latest changes of what an account holds, as a table of the admin."""
    rows = SubscriptionChange.objects.filter(account=account).select_related("by").order_by("-version")
    return {
        "headers": ["Change", "When (UTC)", "By"],
        "rows": [[row.version, f"{row.at:%Y-%m-%d %H:%M}", row.by] for row in rows[:SHOWN]],
    }
