"""The rules for what an account may buy. No queries."""

import hashlib
import json
from collections.abc import Mapping, Set
from dataclasses import dataclass, field, replace
from datetime import date
from types import MappingProxyType

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.utils.functional import lazy
from django.utils.translation import gettext_lazy as _

from onboarding import rules as mode
from onboarding.models import Onboarding
from subscriptions.kinds import CHOSEN, SWITCHED, ItemKind, Kind
from subscriptions.models import MOST_SEATS, Item

Catalogue = Mapping[str, Item]


@dataclass(frozen=True, init=False)
class Subscription:
    """Everything that an account holds, or wants to hold: the number of seats, and SKUs of the catalog.

    `by_field` has what is switched on, by the field of each kind. The constructor and `replace` also take the fields as
    arguments: `replace(held, channels=frozenset({"channel-chat"}))`. What neither names is off.
    """

    seats: int
    storage: str
    package: str
    by_field: Mapping[str, frozenset[str]] = field(hash=False)

    def __init__(
        self,
        *,
        seats: int,
        storage: str,
        package: str,
        by_field: Mapping[str, frozenset[str]] = MappingProxyType({}),
        **switched_on: frozenset[str],
    ) -> None:
        given = {**by_field, **switched_on}
        fields = [kind.field for kind in SWITCHED]
        if unknown := given.keys() - set(fields):
            raise TypeError(f"no kind of items is switched on and off as {', '.join(sorted(unknown))}")
        values = {"seats": seats, "storage": storage, "package": package}
        for name, value in {**values, "by_field": {name: given.get(name, frozenset()) for name in fields}}.items():
            object.__setattr__(self, name, value)

    @property
    def switched_on(self) -> frozenset[str]:
        """What is switched on, of all kinds together: channels and add-ons."""
        return frozenset().union(*self.by_field.values())

    def skus_of(self, kind: Kind) -> Set[str]:
        """Return what is held of a kind other than the product."""
        return self.by_field[kind.field] if kind.is_switched else {getattr(self, kind.field)}

    def toggled(self, kind: Kind, sku: str) -> "Subscription":
        """Return the subscription with an item switched off if it is on, and on if it is off."""
        return replace(self, by_field={**self.by_field, kind.field: self.by_field[kind.field] ^ {sku}})


def offered(catalogue: Catalogue, *, held: Subscription, edition: Item, today: date) -> Catalogue:
    """Return the part of the catalog that an account can choose from: what is on sale today, and what it holds.

    If an item is sold only with editions that are themselves withdrawn, it is offered only to accounts that have one of
    these editions.
    """
    keeps = {edition.sku, held.storage, held.package, *held.switched_on}
    editions = {item.sku for item in catalogue.values() if item.kind == ItemKind.PRODUCT and item.is_on_sale(today)}
    editions.add(edition.sku)
    return {
        sku: item
        for sku, item in catalogue.items()
        if sku in keeps or (item.is_on_sale(today) and (not item.only_for or editions & set(item.only_for)))
    }


def subscription_refusal(
    wanted: Subscription,
    *,
    held: Subscription,
    edition: Item,
    catalogue: Catalogue,
    onboarding: Onboarding,
    today: date,
) -> ValidationError | None:
    """Return the refusal to hold `wanted`, with every reason at its field, or None if it may be held.

    An account may keep items that were withdrawn from sale, and buy seats of a withdrawn edition, but once it gives an
    item up, getting it back is a new purchase. `catalogue` must have every item that has a price today.
    """
    reasons: dict[str, list[ValidationError]] = {}

    def add(field: str, reason: ValidationError | None) -> None:
        if reason is not None:
            reasons.setdefault(field, []).append(reason)

    if type(wanted.seats) is not int or not 0 <= wanted.seats <= MOST_SEATS:
        add(
            "seats",
            ValidationError(
                _("Choose a number of seats from 0 to %(most)s."),
                code="seats_range",
                params={"most": f"{MOST_SEATS:,}", "tried": wanted.seats},
            ),
        )
    else:
        add("seats", mode.seats_refusal(onboarding, wanted.seats))
    for kind in CHOSEN:
        for sku in sorted(wanted.skus_of(kind) - held.skus_of(kind)):
            add(kind.field, _item_refusal(sku, kind.kind, edition, catalogue, today))
            item = catalogue.get(sku)
            if kind.kind == ItemKind.PACKAGE and item:
                add(kind.field, mode.package_refusal(onboarding, item.name, is_default=item.held_at_install))
    kept = {edition.sku, held.storage, held.package, *held.switched_on}
    if missing := sorted(kept - catalogue.keys()):  # we can't say what it costs, so nobody can agree to it
        add(
            NON_FIELD_ERRORS,
            ValidationError(
                _(
                    "Part of this subscription has no price today, so it can't be changed right now. Please contact "
                    "our support team."
                ),
                code="not_priced",
                params={"tried": ", ".join(missing)},
            ),
        )
    return ValidationError(reasons) if reasons else None


def _item_refusal(sku: str, kind: ItemKind, edition: Item, catalogue: Catalogue, today: date) -> ValidationError | None:
    item = catalogue.get(sku)
    if item is None or item.kind != kind:
        return ValidationError(
            _("“%(tried)s” is not sold as a %(kind)s. Choose one from the list."),
            code="unknown_item",
            params={"tried": sku, "kind": _kind_later(kind)},
        )
    if not item.is_on_sale(today):
        return withdrawn_refusal(item)
    if not item.is_sold_with(edition):
        return ValidationError(
            _("%(item)s is not sold with %(edition)s."),
            code="not_for_edition",
            params={"item": item.name, "edition": edition.name, "tried": item.name},
        )
    return None


def withdrawn_refusal(item: Item) -> ValidationError:
    """Return the refusal for an item that was withdrawn from sale."""
    return ValidationError(
        _("%(item)s is no longer sold. Accounts that already have it can keep it."),
        code="withdrawn",
        params={"item": item.name, "tried": item.name},
    )


def _kind_in_words(kind: ItemKind) -> str:
    return str(kind.label).lower()


_kind_later = lazy(_kind_in_words, str)  # the refusal is shown in one language and stored in another


def confirmation_digest(
    wanted: Subscription,
    *,
    version: int,
    edition: Item,
    catalogue: Catalogue,
    onboarding: Onboarding,
    today: date,
) -> str:
    """Return a digest of everything that a confirmation page depends on, to detect that the page is stale.

    It changes with the subscription's version, the mode, the day, and what is wanted and its prices.
    """
    prices = {
        sku: [str(catalogue[sku].monthly_price), str(catalogue[sku].per_minute)]
        for sku in (edition.sku, *wanted.switched_on, wanted.storage, wanted.package)
        if sku in catalogue
    }
    facts = json.dumps([version, onboarding.is_active, today.isoformat(), wanted.seats, sorted(prices.items())])
    return hashlib.sha256(facts.encode()).hexdigest()
