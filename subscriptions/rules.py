"""What may be bought. No queries."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.core.exceptions import ValidationError
from django.utils.functional import lazy
from django.utils.translation import gettext_lazy as _

from onboarding import rules as mode
from onboarding.models import Onboarding
from subscriptions.models import MOST_SEATS, Item, Kind

Catalogue = Mapping[str, Item]
FIRST_ZONE = ZoneInfo("Pacific/Kiritimati")  # 14 hours before UTC; the guard `price_in_effect_is_final` has it too


@dataclass(frozen=True)
class Subscription:
    """All that an account holds, or wants to hold: seats, and SKUs of the catalogue."""

    seats: int
    storage: str
    package: str
    channels: frozenset[str] = frozenset()
    addons: frozenset[str] = frozenset()

    @property
    def switched_on(self) -> frozenset[str]:
        """Channels and add-ons together."""
        return self.channels | self.addons


def refuse_subscription(
    wanted: Subscription, *, held: Subscription, edition: Item, catalogue: Catalogue, onboarding: Onboarding
) -> dict[str, list[ValidationError]]:
    """Return every reason against holding `wanted`, by the field it stands at; empty where it may be held.

    What is held already may be kept; `catalogue` has what is sold today.
    """
    reasons: dict[str, list[ValidationError]] = {}

    def refuse(field: str, reason: ValidationError | None) -> None:
        if reason is not None:
            reasons.setdefault(field, []).append(reason)

    if type(wanted.seats) is not int or not 0 <= wanted.seats <= MOST_SEATS:
        refuse(
            "seats",
            ValidationError(
                _("Choose a number of seats from 0 to %(most)s."),
                code="seats_range",
                params={"most": f"{MOST_SEATS:,}", "tried": wanted.seats},
            ),
        )
    else:
        refuse("seats", mode.refuse_seats(onboarding, wanted.seats))
    for field, skus, kind in (
        ("channels", wanted.channels - held.channels, Kind.CHANNEL),
        ("addons", wanted.addons - held.addons, Kind.ADDON),
        ("storage", {wanted.storage} - {held.storage}, Kind.STORAGE),
        ("package", {wanted.package} - {held.package}, Kind.PACKAGE),
    ):
        for sku in sorted(skus):
            refuse(field, _refuse_item(sku, kind, edition, catalogue))
            item = catalogue.get(sku)
            if kind == Kind.PACKAGE and item:
                refuse(field, mode.refuse_package(onboarding, item.name, is_default=item.held_at_install))
    return reasons


def _refuse_item(sku: str, kind: Kind, edition: Item, catalogue: Catalogue) -> ValidationError | None:
    item = catalogue.get(sku)
    if item is None or item.kind != kind:
        return ValidationError(
            _("“%(tried)s” is not sold as a %(kind)s. Choose one from the list."),
            code="unknown_item",
            params={"tried": sku, "kind": _kind_later(kind)},
        )
    if not item.is_sold_with(edition):
        return ValidationError(
            _("%(item)s is not sold with %(edition)s."),
            code="not_for_edition",
            params={"item": item.name, "edition": edition.name, "tried": item.name},
        )
    return None


def _kind_in_words(kind: Kind) -> str:
    return str(kind.label).lower()


_kind_later = lazy(_kind_in_words, str)  # the refusal is shown in one language and kept in another


def first_day_of_a_new_price(now: datetime) -> date:
    """Return the earliest day from which a new price may count: where a day begins first, it has not begun (R24)."""
    return now.astimezone(FIRST_ZONE).date() + timedelta(days=1)


def basis(
    wanted: Subscription,
    *,
    version: int,
    edition: Item,
    catalogue: Catalogue,
    onboarding: Onboarding,
    today: date,
) -> str:
    """Return a digest of all that a confirmation page was made from, so that it can be told when it is stale.

    It changes with the subscription's version, the mode, the day, and the price of anything wanted.
    """
    prices = {
        sku: [str(catalogue[sku].monthly_price), str(catalogue[sku].per_minute)]
        for sku in (edition.sku, *wanted.switched_on, wanted.storage, wanted.package)
        if sku in catalogue
    }
    facts = json.dumps([version, onboarding.is_active, today.isoformat(), wanted.seats, sorted(prices.items())])
    return hashlib.sha256(facts.encode()).hexdigest()
