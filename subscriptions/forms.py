"""The forms of Contact Center's pages. They read what was typed; whether it is allowed, the actions say."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from django import forms

from accounts.models import ServiceRole
from onboarding import rules as mode
from subscriptions.models import ContactCenter, Item, Kind
from subscriptions.rules import Catalogue, Subscription

LONGEST_KEY = 18  # digits of a key that PostgreSQL can hold
NO_ROLE = "none"
KIND_OF_FIELD = {
    "channels": Kind.CHANNEL,
    "addons": Kind.ADDON,
    "storage": Kind.STORAGE,
    "package": Kind.PACKAGE,
}


def is_key(text: str) -> bool:
    """Return whether a text from outside can be the key of a row."""
    return len(text) <= LONGEST_KEY and text.isascii() and text.isdigit()


@dataclass(frozen=True)
class Option:
    """An item as the form offers it; `reason` says why it alone can't be chosen."""

    item: Item
    is_chosen: bool
    is_locked: bool = False
    reason: str = ""


class OfferField(forms.ChoiceField):
    """An SKU that was chosen; whether it may be held, the action says, and its refusal is recorded."""

    def valid_value(self, value: Any) -> bool:
        return True


class OffersField(forms.MultipleChoiceField):
    """SKUs that were ticked, like OfferField."""

    def valid_value(self, value: Any) -> bool:
        return True


class SubscriptionForm(forms.Form):
    """Everything an account can hold, in one form."""

    seats = forms.IntegerField(label="Concurrent-user seats", widget=forms.NumberInput(attrs={"class": "short"}))
    channels = OffersField(label="Channels", required=False)
    addons = OffersField(label="Add-ons", required=False)
    storage = OfferField(label="Recording storage")
    package = OfferField(label="Toll-free package")

    def __init__(
        self, *args: Any, center: ContactCenter, held: Subscription, catalogue: Catalogue, today: date, **kwargs: Any
    ) -> None:
        super().__init__(*args, **{"initial": initial_of(held), **kwargs})
        self.center = center
        self.held = held
        self.today = today
        self.onboarding = center.account.onboarding
        self.catalogue = catalogue
        for name, kind in KIND_OF_FIELD.items():
            field = self.fields[name]
            assert isinstance(field, forms.ChoiceField)
            field.choices = [(item.sku, item.name) for item in catalogue.values() if item.kind == kind]
        limit = mode.seat_limit(self.onboarding)
        self.fields["seats"].widget.attrs.update({"min": 0, "inputmode": "numeric"})
        if limit is not None:
            self.fields["seats"].widget.attrs["max"] = limit
            self.fields[
                "seats"
            ].help_text = f"At most {limit} while your account is in onboarding. Seats are free until then."

    @property
    def package_lock(self) -> str:
        """Why the package can't be changed, or nothing where it can."""
        return mode.why_package_is_locked() if mode.package_is_locked(self.onboarding) else ""

    def channel_options(self) -> Iterator[Option]:
        return self._options("channels")

    def addon_options(self) -> Iterator[Option]:
        return self._options("addons")

    def storage_options(self) -> Iterator[Option]:
        return self._options("storage")

    def package_options(self) -> Iterator[Option]:
        return self._options("package")

    def wanted(self) -> Subscription:
        """Return what was asked for; the form must be valid."""
        chosen = self.cleaned_data
        return Subscription(
            seats=chosen["seats"],
            storage=chosen["storage"],
            package=chosen["package"],
            channels=frozenset(chosen["channels"]),
            addons=frozenset(chosen["addons"]),
        )

    def chosen(self) -> Subscription | None:
        """Return what the form stands at, as it was posted or as it is first shown; None where it can't be read."""
        if not self.is_bound:
            return subscription_of(self.initial)
        return self.wanted() if self.is_valid() else None

    def _options(self, name: str) -> Iterator[Option]:
        value = self[name].value() or []
        chosen = {value} if isinstance(value, str) else set(value)
        for item in self.catalogue.values():
            if item.kind == KIND_OF_FIELD[name]:
                is_chosen = item.sku in chosen
                locked = item.kind == Kind.PACKAGE and bool(self.package_lock) and not item.held_at_install
                yield Option(item, is_chosen, locked and not is_chosen, "" if is_chosen else self._reason(item))

    def _reason(self, item: Item) -> str:
        if item.is_sold_with(self.center.edition):
            return ""
        names = [edition.name for edition in self.catalogue.values() if edition.sku in item.only_for]
        return f"Only with {' or '.join(names)}"


def initial_of(subscription: Subscription) -> dict[str, Any]:
    """Return the form's initial values for something held or wanted."""
    return {
        "seats": subscription.seats,
        "storage": subscription.storage,
        "package": subscription.package,
        "channels": sorted(subscription.channels),
        "addons": sorted(subscription.addons),
    }


def subscription_of(initial: Mapping[str, Any]) -> Subscription:
    """Return what the form's initial values say, as `initial_of` made them."""
    switched_on = {name: frozenset(initial[name]) for name in ("channels", "addons")}
    return Subscription(seats=initial["seats"], storage=initial["storage"], package=initial["package"], **switched_on)


class InstallForm(forms.Form):
    """Which edition to install, and the tick that confirms it."""

    edition = OfferField(label="Edition", error_messages={"required": "Choose an edition."})
    confirmed = forms.BooleanField(
        label="Install Contact Center on this account, in onboarding mode",
        error_messages={"required": "Tick this box to confirm the installation."},
    )

    def __init__(self, *args: Any, editions: list[Item], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["edition"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [(item.sku, item.name) for item in editions]
        self.editions = editions

    def options(self) -> Iterator[Option]:
        for item in self.editions:
            yield Option(item, self["edition"].value() == item.sku)


class KeysField(forms.TypedMultipleChoiceField):
    """Keys that were ticked; whether there is anything behind them, the action says."""

    def valid_value(self, value: Any) -> bool:
        return is_key(str(value))


class RolesForm(forms.Form):
    """Ticked people, and the role all of them get; cleaned, the role is "" where Contact Center is taken from them."""

    people = KeysField(coerce=int, error_messages={"required": "Tick at least one person."})
    role = forms.ChoiceField(
        label="Role for the ticked people",
        choices=[*ServiceRole.choices, (NO_ROLE, "No Contact Center")],
    )

    def clean_role(self) -> str:
        role = self.cleaned_data["role"]
        return "" if role == NO_ROLE else role


class PersonForm(forms.Form):
    """A new person on the list."""

    name = forms.CharField(label="Name", max_length=200, widget=forms.TextInput(attrs={"autocomplete": "off"}))
    email = forms.EmailField(label="E-mail address", widget=forms.EmailInput(attrs={"autocomplete": "off"}))
