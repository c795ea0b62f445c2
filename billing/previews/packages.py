"""What customers see about toll-free packages: prices per minute, and which package would cost them least."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from accounts.models import Account
from billing.previews.usage import minutes_by_month
from billing.pricing.recommendation import PackagePrice, Recommendation, pays_off_from
from subscriptions.models import ItemKind
from subscriptions.rules import Catalogue

MOST_MONTHS = 3


@dataclass(frozen=True)
class Package:
    """A package in the list: its prices, from how many minutes a month it pays off, and what it would have cost."""

    name: str
    offer: PackagePrice
    pays_off_from: int | None
    cost: Decimal | None
    is_best: bool


@dataclass(frozen=True)
class Packages:
    """All packages by SKU, and a recommendation if the account has a whole month of usage."""

    of: Mapping[str, Package]
    suggestion: Recommendation | None

    @property
    def best(self) -> Package | None:
        return next((package for package in self.of.values() if package.is_best), None)


def packages_for(account: Account, catalogue: Catalogue, today: date) -> Packages:
    """Return the packages that an account can choose from, each with what it would have cost the account. One query.

    `catalogue` is what the account is offered (`rules.offered`), so packages that it can't have are neither recommended
    nor compared.
    """
    offers = [
        PackagePrice(item.sku, item.monthly_price, item.size, item.per_minute or Decimal(0))
        for item in catalogue.values()
        if item.kind == ItemKind.PACKAGE
    ]
    months = _whole_months(account, today)
    suggestion = None
    if months and offers:
        used = minutes_by_month(account, months[0], today.replace(day=1))
        suggestion = Recommendation([used.get(month, 0) for month in months], offers)
    best = suggestion.best if suggestion else None
    return Packages(
        {
            offer.sku: Package(
                catalogue[offer.sku].name,
                offer,
                pays_off_from(offer, offers),
                suggestion.cost(offer) if suggestion else None,
                offer == best,
            )
            for offer in offers
        },
        suggestion,
    )


def _whole_months(account: Account, today: date) -> list[date]:
    """Return the last months, at most MOST_MONTHS, in which the account had Contact Center on every day."""
    first = account.onboarding.started_on
    months: list[date] = []
    month = today.replace(day=1)
    while len(months) < MOST_MONTHS:
        month = (month - date.resolution).replace(day=1)
        if month < first:
            break
        months.insert(0, month)
    return months
