"""The forms of Contact Center's pages. They only parse input; the actions decide what is allowed."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.models import ServiceRole
from accounts.models.people import ServiceUserQuerySet
from onboarding import rules as mode
from subscriptions.differences import InForce
from subscriptions.kinds import CHOSEN, SWITCHED, ItemKind
from subscriptions.models import ContactCenter, Item
from subscriptions.people_file import MOST_BYTES, PeopleFile, read_people
from subscriptions.rules import Catalogue, Subscription, offered

LONGEST_KEY = 18  # digits; any number this long fits into a bigint
NO_ROLE = "none"
ROW = "role-"  # followed by a user's key: the name of the field in the user's row
KIND_OF_FIELD = {kind.field: kind.kind for kind in CHOSEN}


def is_key(text: str) -> bool:
    """Return whether a text from a request can be the key of a row."""
    return len(text) <= LONGEST_KEY and text.isascii() and text.isdigit()


@dataclass(frozen=True)
class Option:
    """An item as an option of a form. `reason` says why this item can't be chosen, and `note` what to know about it.

    If `is_locked`, it can't be chosen either, for a reason that applies to the whole field.
    """

    item: Item
    is_chosen: bool
    is_locked: bool = False
    reason: str = ""
    note: str = ""


@dataclass(frozen=True)
class SwitchGroup:
    """The field of a kind of items that are switched on and off, and its items as options."""

    field: forms.BoundField
    options: Iterator[Option]


class OfferField(forms.ChoiceField):
    """A chosen SKU. It accepts any value, since the action decides what may be held and records its refusals."""

    def valid_value(self, value: Any) -> bool:
        return True


class OffersField(forms.MultipleChoiceField):
    """Selected SKUs, with any values accepted, as in OfferField."""

    def valid_value(self, value: Any) -> bool:
        return True


class SubscriptionForm(forms.Form):
    """Everything an account can hold, in one form, with a field for each kind that is switched on and off."""

    seats = forms.IntegerField(label=_("Concurrent-user seats"), widget=forms.NumberInput(attrs={"class": "short"}))
    storage = OfferField(label=_("Recording storage"))
    package = OfferField(label=_("Toll-free package"))

    def __init__(
        self,
        *args: Any,
        center: ContactCenter,
        held: Subscription,
        catalogue: Catalogue,
        in_force: InForce,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **{"initial": initial_of(held), **kwargs})
        for kind in SWITCHED:
            self.fields[kind.field] = OffersField(label=kind.plural, required=False)
        self.order_fields(["seats", *KIND_OF_FIELD])
        self.center = center
        self.held = held
        self.in_force = in_force
        self.today = in_force.today
        self.onboarding = center.account.onboarding
        self.catalogue = catalogue
        self.offered = offered(catalogue, held=held, edition=center.edition, today=self.today)
        for name, own in KIND_OF_FIELD.items():
            field = self.fields[name]
            assert isinstance(field, forms.ChoiceField)
            field.choices = [(item.sku, item.name) for item in self.offered.values() if item.kind == own]
        limit = mode.seat_limit(self.onboarding)
        self.fields["seats"].widget.attrs.update({"min": 0, "inputmode": "numeric"})
        if limit is not None:
            self.fields["seats"].widget.attrs["max"] = limit
            free = gettext("At most %(limit)s while your account is in onboarding. Seats are free until then.")
            self.fields["seats"].help_text = free % {"limit": limit}

    @property
    def package_lock(self) -> str:
        """Why the package can't be changed, or an empty string if it can."""
        return mode.why_package_is_locked() if mode.package_is_locked(self.onboarding) else ""

    def switch_groups(self) -> list[SwitchGroup]:
        """Return what can be switched on and off, by kind."""
        return [SwitchGroup(self[kind.field], self._options(kind.field)) for kind in SWITCHED]

    def storage_options(self) -> Iterator[Option]:
        return self._options("storage")

    def package_options(self) -> Iterator[Option]:
        return self._options("package")

    def wanted(self) -> Subscription:
        """Return the subscription that was entered. The form must be valid."""
        chosen = self.cleaned_data
        return Subscription(
            seats=chosen["seats"],
            storage=chosen["storage"],
            package=chosen["package"],
            by_field={kind.field: frozenset(chosen[kind.field]) for kind in SWITCHED},
        )

    def chosen(self) -> Subscription | None:
        """Return the subscription that the form shows, as posted or initially; None if it is not valid."""
        if not self.is_bound:
            return subscription_of(self.initial)
        return self.wanted() if self.is_valid() else None

    def _options(self, name: str) -> Iterator[Option]:
        value = self[name].value() or []
        chosen = {value} if isinstance(value, str) else set(value)
        for item in self.offered.values():
            if item.kind == KIND_OF_FIELD[name]:
                is_chosen = item.sku in chosen
                locked = item.kind == ItemKind.PACKAGE and bool(self.package_lock) and not item.held_at_install
                reason = "" if is_chosen else self._reason(item)
                yield Option(item, is_chosen, locked and not is_chosen, reason, self._note(item))

    def _reason(self, item: Item) -> str:
        if item.is_sold_with(self.center.edition):
            return ""
        names = [edition.name for edition in self.offered.values() if edition.sku in item.only_for]
        return gettext("Only with %(editions)s") % {"editions": gettext(" or ").join(names)}

    def _note(self, item: Item) -> str:
        """Return the warning for an item that was withdrawn from sale: once given up, it can't be bought again."""
        if item.is_on_sale(self.today):
            return ""
        return gettext("No longer sold. You can keep it, but you can’t get it back once you give it up.")


def initial_of(subscription: Subscription) -> dict[str, Any]:
    """Return the form's initial values for a subscription."""
    return {
        "seats": subscription.seats,
        "storage": subscription.storage,
        "package": subscription.package,
        **{name: sorted(skus) for name, skus in subscription.by_field.items()},
    }


def subscription_of(initial: Mapping[str, Any]) -> Subscription:
    """Return the subscription of initial values that were made by `initial_of`, perhaps before there was some kind."""
    return Subscription(
        seats=initial["seats"],
        storage=initial["storage"],
        package=initial["package"],
        by_field={kind.field: frozenset(initial.get(kind.field, ())) for kind in SWITCHED},
    )


class InstallForm(forms.Form):
    """The edition to install, and a checkbox that confirms it."""

    edition = OfferField(label=_("Edition"), error_messages={"required": _("Choose an edition.")})
    confirmed = forms.BooleanField(
        label=_("Install Contact Center on this account, in onboarding mode"),
        error_messages={"required": _("Tick this box to confirm the installation.")},
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
    """Selected keys. It accepts anything that looks like a key; the action decides whether there are such rows."""

    def valid_value(self, value: Any) -> bool:
        return is_key(str(value))


class RolesForm(forms.Form):
    """The selected service users with the role that all of them get, and the users whose role was changed in their row.

    The checkbox `everybody` selects all users that the search found; its value is their number. Each row also posts the
    role that it had when the page was rendered, so that only roles that this person changed are saved, and nobody
    else's changes are undone.
    """

    people = KeysField(coerce=int, required=False)
    everybody = forms.IntegerField(required=False, min_value=1, error_messages={"invalid": _("Tick the box anew.")})
    role = forms.ChoiceField(
        label=_("Role for the ticked people"),
        choices=[*ServiceRole.choices, (NO_ROLE, _("No Contact Center"))],
        required=False,
    )

    def __init__(self, data: Any = None, *, found: ServiceUserQuerySet) -> None:
        super().__init__(data)
        self.found = found
        self.roles: dict[int, str] = {}

    @property
    def ticked(self) -> set[str]:
        """The selected keys, as text."""
        return set(self["people"].value() or [])

    def clean(self) -> dict[str, Any]:
        """Collect in `roles` the new role of each user's key; "" removes Contact Center from the user.

        Adds an error if the search now finds another number of users than `everybody` says, if users are selected
        without a role, or if there is nothing to change.
        """
        cleaned = super().clean() or {}
        self.roles = dict(self._changed_rows())
        ticked = cleaned.get("people") or []
        if count := cleaned.get("everybody"):
            ticked = list(self.found.order_by("pk").values_list("pk", flat=True))
            if len(ticked) != count:
                self.add_error("everybody", self._list_has_changed(count, len(ticked)))
        if ticked and not cleaned.get("role"):
            if "role" not in self.errors:
                self.add_error(
                    "role", forms.ValidationError(_("Choose a role for the ticked people."), code="required")
                )
        elif ticked:
            self.roles |= dict.fromkeys(ticked, _role_of(cleaned["role"]))
        if not self.roles and not self.errors:
            nothing = _("Tick at least one person, or choose another role in a row.")
            self.add_error("people", forms.ValidationError(nothing, code="required"))
        return cleaned

    def _changed_rows(self) -> Iterator[tuple[int, str]]:
        for name, role in self.data.items():
            key = name.removeprefix(ROW)
            if name.startswith(ROW) and is_key(key) and role != self.data.get(f"was-{key}"):
                yield int(key), _role_of(role)

    def _list_has_changed(self, before: int, now: int) -> forms.ValidationError:
        return forms.ValidationError(
            _("The list has changed: %(before)s people were found, now %(now)s. Look at them and tick the box anew."),
            code="list_changed",
            params={"before": before, "now": now, "tried": before},
        )


def _role_of(choice: str) -> str:
    return "" if choice == NO_ROLE else choice


class ImportForm(forms.Form):
    """The upload of a CSV file of people."""

    file = forms.FileField(
        label=_("CSV file"),
        error_messages={"required": _("Choose a file."), "empty": _("The file is empty.")},
        widget=forms.FileInput(attrs={"accept": ".csv,text/csv"}),
    )

    def clean_file(self) -> PeopleFile:
        """Return the parsed file. Raises ValidationError if the file as a whole can't be read."""
        upload = self.cleaned_data["file"]
        return read_people(upload.read(MOST_BYTES + 1))


class PersonForm(forms.Form):
    """A new service user."""

    name = forms.CharField(label=_("Name"), max_length=200, widget=forms.TextInput(attrs={"autocomplete": "off"}))
    email = forms.EmailField(label=_("E-mail address"), widget=forms.EmailInput(attrs={"autocomplete": "off"}))
