"""Template tags about Contact Center, for customers' pages of all apps."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django import template
from django.urls import reverse
from django.utils.translation import gettext, ngettext

from accounts.models import Account, NumberAssignment, ServiceUser
from core.guards import LazyStr
from core.money import money
from onboarding import rules as mode
from subscriptions import held
from subscriptions.catalogue import Waiting, held_by, in_force, waiting_package
from subscriptions.forms import Option
from subscriptions.kinds import SWITCHED_TOGETHER, switched_in_words
from subscriptions.models import ChargedPer, ContactCenter, Item

register = template.Library()


@dataclass(frozen=True)
class Step:
    """One step before going live: whether it is done, its state as text, and the URL of the page for it."""

    is_done: bool
    title: str
    state: str
    url: str


@register.simple_tag
def center_of(account: Account) -> ContactCenter | None:
    """Return the account's Contact Center with its items, or None. One query."""
    return ContactCenter.objects.select_related("edition", "storage", "package").filter(account=account).first()


@register.simple_tag
def held_of(account: Account) -> held.SubscriptionSummary | None:
    """Return the names of everything that the account holds, or None without Contact Center. One query."""
    return held.held_by_accounts([account.pk]).get(account.pk)


@register.simple_tag
def waiting_of(center: ContactCenter, now: datetime) -> Waiting | None:
    """Return the larger package that still counts, and until which day, or None if no change is waiting. One query."""
    return waiting_package(center, in_force(center, now))


@register.simple_tag
def seats_allowed(center: ContactCenter) -> dict[str, Any] | None:
    """Return how many of the allowed seats are held, as `words` and as a `share` in percent; None without a limit."""
    limit = mode.seat_limit(center.account.onboarding)
    if limit is None:
        return None
    words = gettext("%(held)s of the %(limit)s seats you can hold in onboarding") % {
        "held": center.seats,
        "limit": limit,
    }
    return {"words": words, "share": min(100, 100 * center.seats // limit)}


@register.simple_tag
def checklist(account: Account, center: ContactCenter | None) -> list[Step]:
    """Return the steps before going live (R17), in the usual order. Up to three queries.

    If the account's Contact Center row is missing, there are no seats and no channels (I28).
    """
    switched_on, held_seats = (len(held_by(center).by_field["channels"]), center.seats) if center else (0, 0)
    people = ServiceUser.objects.filter(account=account).with_contact_center().count()
    numbers = NumberAssignment.objects.current().filter(account=account).count()
    subscription, users, phone_numbers = (
        reverse(page, args=[account.number]) for page in ("subscription", "users", "phone_numbers")
    )
    seats = ngettext("%(count)s seat held", "%(count)s seats held", held_seats)
    channels = ngettext("%(count)s channel on", "%(count)s channels on", switched_on)
    assigned = ngettext("%(count)s person assigned", "%(count)s people assigned", people)
    answered = ngettext("%(count)s number assigned", "%(count)s numbers assigned", numbers)
    return [
        _step(held_seats, gettext("Buy seats"), seats, subscription),
        _step(switched_on, gettext("Choose channels"), channels, subscription),
        _step(people, gettext("Assign users"), assigned, users),
        _step(numbers, gettext("Assign a phone number"), answered, phone_numbers),
    ]


def _step(count: int, title: str, state: str, url: str) -> Step:
    return Step(count > 0, title, state % {"count": f"{count:,}"}, url)


@register.simple_tag
def switched_kinds() -> str:
    """Return the kinds of items that are switched on and off as part of a sentence: `channels, add-ons`."""
    return switched_in_words()


@register.simple_tag
def switched_together() -> LazyStr:
    """Return the heading of a list of items of all these kinds: `Channels and add-ons`."""
    return SWITCHED_TOGETHER


@register.filter
def price(item: Item) -> str:
    """Return the item's monthly price as text: `$70.00 per seat`, `$30.00` or `Included`."""
    if not item.monthly_price:
        return gettext("Included")
    amount = money(item.monthly_price)
    return gettext("%(amount)s per seat") % {"amount": amount} if item.charged_per == ChargedPer.SEAT else amount


@register.inclusion_tag("components/option.html")
def option(kind: str, name: str, option: Option) -> dict[str, Any]:
    """Show an item of the catalog as an input of the type `checkbox` or `radio`."""
    return {"type": kind, "name": name, "option": option, "disabled": option.is_locked or bool(option.reason)}
