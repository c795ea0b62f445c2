"""What customers' pages of other apps show of Contact Center."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django import template
from django.urls import reverse

from accounts.models import Account, NumberAssignment, ServiceUser
from subscriptions.catalogue import held_by
from subscriptions.forms import Option
from subscriptions.models import ChargedPer, ContactCenter, Item

register = template.Library()


@dataclass(frozen=True)
class Step:
    """One thing to do before going live: whether it is done, in words, and where it is done."""

    is_done: bool
    title: str
    state: str
    url: str


@register.simple_tag
def center_of(account: Account) -> ContactCenter | None:
    """Return the account's Contact Center with its items, or None. One query."""
    return ContactCenter.objects.select_related("edition", "storage", "package").filter(account=account).first()


@register.simple_tag
def checklist(account: Account, center: ContactCenter) -> list[Step]:
    """Return what is ready to go live (R17), in the order in which it is usually done. Four queries."""
    switched_on = len(held_by(center).channels)
    people = ServiceUser.objects.filter(account=account).with_contact_center().count()
    numbers = NumberAssignment.objects.current().filter(account=account).count()
    subscription, users, phone_numbers = (
        reverse(page, args=[account.number]) for page in ("subscription", "users", "phone_numbers")
    )
    return [
        Step(center.seats > 0, "Buy seats", _counted(center.seats, "seat held", "seats held"), subscription),
        Step(switched_on > 0, "Choose channels", _counted(switched_on, "channel on", "channels on"), subscription),
        Step(people > 0, "Assign users", _counted(people, "person assigned", "people assigned"), users),
        Step(
            numbers > 0,
            "Assign a phone number",
            _counted(numbers, "number assigned", "numbers assigned"),
            phone_numbers,
        ),
    ]


@register.filter
def price(item: Item) -> str:
    """Return the item's monthly price in words: `$70.00 per seat`, `$30.00`, `Included`."""
    if not item.monthly_price:
        return "Included"
    per = " per seat" if item.charged_per == ChargedPer.SEAT else ""
    return f"${item.monthly_price:,.2f}{per}"


@register.filter
def rate(item: Item) -> str:
    """Return a package's price per minute: `4.5¢ a minute`."""
    cents = (item.per_minute or Decimal(0)) * 100
    return f"{cents.normalize():f}¢ a minute"


def _counted(number: int, one: str, many: str) -> str:
    return f"{number:,} {one if number == 1 else many}"


@register.inclusion_tag("components/option.html")
def option(kind: str, name: str, option: Option) -> dict[str, Any]:
    """Show an item of the catalogue as a tick (`checkbox`) or a choice of one (`radio`)."""
    return {"type": kind, "name": name, "option": option, "disabled": option.is_locked or bool(option.reason)}
