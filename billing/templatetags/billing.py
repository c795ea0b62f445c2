"""Template tags for amounts, which come from `billing.previews`, and texts about them, from `billing.wording`."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from django import template

from accounts.models import Account
from billing.previews.estimate import FirstBill, FirstBills, MonthSummary, first_bills, first_bills_from, month_summary
from billing.previews.packages import Packages, packages_for
from billing.previews.purchase import NewTotal, PurchaseCost, new_total, purchase_cost
from billing.pricing.charges import Line
from billing.wording import sentences
from core.clock import database_now
from core.money import cents, money
from onboarding.models import Notice
from onboarding.notices.messages import Batch, charged_from
from subscriptions.actions import Proposal
from subscriptions.catalogue import catalogue_on, contact_center_of, items_by_sku
from subscriptions.forms import Option
from subscriptions.models import ContactCenter
from subscriptions.rules import Catalogue, Subscription

register = template.Library()
register.filter("money", money)
register.filter("cents", cents)
MOST_PREVIEWED = 5_000


@register.filter
def grouped(number: int) -> str:
    """Return a whole number with separators, like `1,240`."""
    return f"{number:,}"


@register.filter
def arithmetic(line: Line) -> str:
    """Return how a line's amount was computed."""
    return sentences().arithmetic(line)


@register.filter
def days(line: Line) -> str:
    """Return the days a line is about."""
    return sentences().days_of(line)


@register.filter
def included(line: Line) -> str:
    """Return how many minutes a usage line's days include."""
    return sentences().included(line)


@register.simple_tag
def catalogue_items() -> dict[str, tuple[str, str]]:
    """Return the name and kind of every item by SKU. One query."""
    return items_by_sku()


@register.filter
def title(line: Line, items: dict[str, tuple[str, str]]) -> str:
    """Return what a line is about, in words."""
    return sentences().title(line, items)


@register.simple_tag
def cost_of(proposal: Proposal, account: Account) -> PurchaseCost:
    """Return what a proposed purchase costs, line by line (R15)."""
    now = database_now()
    catalogue = catalogue_on(account.day_of(now))
    return purchase_cost(contact_center_of(account), proposal.differences, catalogue=catalogue, now=now)


@register.simple_tag
def total_of(
    center: ContactCenter, held: Subscription, chosen: Subscription, catalogue: Catalogue, today: date
) -> NewTotal:
    """Return the total of a whole month, with what is held and with what was chosen."""
    return new_total(center, held, chosen, catalogue=catalogue, today=today)


@register.simple_tag
def packages_of(account: Account, offered: Catalogue, today: date) -> Packages:
    """Return the toll-free packages offered, and what each would have cost with the account's own minutes."""
    return packages_for(account, offered, today)


@register.inclusion_tag("components/package_option.html")
def package_option(option: Option, packages: Packages) -> dict[str, Any]:
    """Show a package as one of several to choose from, with its price per minute and when it pays off."""
    return {"option": option, "package": packages.of[option.item.sku], "disabled": option.is_locked}


@register.simple_tag
def running_month(account: Account, now: datetime) -> MonthSummary | None:
    """Return the account's current month: its estimate, the charges of a whole month, and its minutes by day."""
    return month_summary(account, now)


@register.simple_tag
def first_bill(account: Account) -> FirstBill | None:
    """Return the charges that would start if the account were activated today (R17)."""
    return first_bills_today([account]).get(account.pk)


@register.simple_tag
def first_bills_today(accounts: Sequence[Account]) -> dict[int, FirstBill]:
    """Return the charges that would start for each account, by key, if it were activated today (R22)."""
    now = database_now()
    on: dict[int, date] = {account.pk: account.day_of(now) for account in accounts}
    return first_bills(accounts, on, now=now)


@register.simple_tag
def first_bills_of(keys: Sequence[int]) -> FirstBills:
    """Return the charges that would start for the accounts with these keys if they were activated today (R22).

    Empty for more than MOST_PREVIEWED accounts, because that would take too long for a page.
    """
    if len(keys) > MOST_PREVIEWED:
        return FirstBills({}, too_many=True)
    return FirstBills(first_bills_today(list(Account.objects.filter(pk__in=keys))))


@register.simple_tag
def announced_first_bill(batch: Batch, notice: Notice) -> FirstBill | None:
    """Return the charges that start for the account on the day that a notice is about (R11, R22).

    None if they can't be computed. They are computed once for all notices of the batch.
    """
    day = charged_from(notice)
    bills = batch.once(announced_first_bill, lambda: first_bills_from(batch.starts))
    return bills.get((notice.account_id, day)) if day else None


@register.filter
def among(bills: FirstBills, accounts: Sequence[int]) -> FirstBills:
    """Return the charges that start for some of the accounts, by their keys."""
    return bills.among(accounts)


@register.filter
def begins(bills: FirstBills, account: int) -> FirstBill | None:
    """Return the charges that start for one account, by its key; None if they can't be computed."""
    return bills.of.get(account)
