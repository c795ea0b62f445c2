"""What pages show of money. Amounts come from `billing.estimate`, words from `billing.words`."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from django import template

from accounts.actions import database_now
from accounts.models import Account
from billing import words
from billing.charges import Line
from billing.estimate import FirstBill, FirstBills, PurchaseCost, first_bills, first_bills_from, purchase_cost
from onboarding.letters import Batch, charged_from
from onboarding.models import Notice
from subscriptions.actions import Proposal
from subscriptions.catalogue import catalogue_on, contact_center_of, items_by_sku

register = template.Library()
MOST_PREVIEWED = 5_000


@register.filter
def money(amount: Decimal) -> str:
    """Return USD in words: `$1,234.50`."""
    return words.money(amount)


@register.filter
def arithmetic(line: Line) -> str:
    """Return how a line's amount was computed."""
    return words.arithmetic(line)


@register.filter
def days(line: Line) -> str:
    """Return the days a line is about."""
    return words.days_of(line)


@register.simple_tag
def catalogue_items() -> dict[str, tuple[str, str]]:
    """Return the name and kind of every item by SKU. One query."""
    return items_by_sku()


@register.filter
def title(line: Line, items: dict[str, tuple[str, str]]) -> str:
    """Return what a line is about, in words."""
    return words.title(line, items)


@register.simple_tag
def cost_of(proposal: Proposal, account: Account) -> PurchaseCost:
    """Return what a proposed purchase costs, line by line (R15)."""
    now = database_now()
    catalogue = catalogue_on(account.day_of(now))
    return purchase_cost(contact_center_of(account), proposal.differences, catalogue=catalogue, now=now)


@register.simple_tag
def first_bill(account: Account) -> FirstBill | None:
    """Return what would begin if the account were activated today (R17)."""
    return first_bills_today([account]).get(account.pk)


@register.simple_tag
def first_bills_today(accounts: Sequence[Account]) -> dict[int, FirstBill]:
    """Return what would begin for each account, by its key, if it were activated today (R22)."""
    now = database_now()
    on: dict[int, date] = {account.pk: account.day_of(now) for account in accounts}
    return first_bills(accounts, on)


@register.simple_tag
def first_bills_of(keys: Sequence[int]) -> FirstBills:
    """Return what would begin for the accounts with these keys, and together, if they were activated today (R22).

    Nothing for more than MOST_PREVIEWED accounts: nobody waits that long for a page.
    """
    if len(keys) > MOST_PREVIEWED:
        return FirstBills({}, too_many=True)
    return FirstBills(first_bills_today(list(Account.objects.filter(pk__in=keys))))


@register.simple_tag
def first_bill_told(batch: Batch, notice: Notice) -> FirstBill | None:
    """Return what begins for the account on the day a notice tells of, or None where it can't be told (R11, R22).

    It is computed once for all notices of the batch.
    """
    day = charged_from(notice)
    bills = batch.once(first_bill_told, lambda: first_bills_from(batch.starts))
    return bills.get((notice.account_id, day)) if day else None


@register.filter
def begins(bills: FirstBills, account: int) -> FirstBill | None:
    """Return what begins for one account, by its key; None where it can't be told."""
    return bills.of.get(account)
