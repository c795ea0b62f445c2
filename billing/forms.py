"""The form of a billing profile, on the customers' page and in the back office."""

from typing import TYPE_CHECKING, Any

from django import forms

from billing.models import BillingProfile
from billing.models.parties import PROFILE_FIELDS

if TYPE_CHECKING:
    ProfileModelForm = forms.ModelForm[BillingProfile]
else:
    ProfileModelForm = forms.ModelForm


class BillingProfileForm(ProfileModelForm):
    """The values of an account's next version of the billing profile.

    It starts with those in force, or with the company's name. `seen` is the version that the page showed.
    """

    seen = forms.IntegerField(min_value=0, widget=forms.HiddenInput)

    class Meta:
        model = BillingProfile
        fields = PROFILE_FIELDS

    def __init__(self, posted: Any, *, current: BillingProfile | None, company: str) -> None:
        values: dict[str, Any] = {"legal_name": company, "seen": 0}
        if current:
            values = {name: getattr(current, name) for name in PROFILE_FIELDS} | {"seen": current.version}
        super().__init__(posted, initial=values)
        for name, autocomplete in AUTOCOMPLETE.items():
            self.fields[name].widget.attrs["autocomplete"] = autocomplete

    def accept_current(self, current: BillingProfile | None) -> None:
        """Let the next attempt replace the version in force, which the person was told about."""
        self.data = {name: self.data[name] for name in self.data} | {"seen": str(current.version if current else 0)}

    def _get_validation_exclusions(self) -> set[str]:
        """Leave out what the action fills in and checks."""
        excluded: set[str] = super()._get_validation_exclusions()  # type: ignore[misc]
        return excluded | {"account", "version", "saved_by"}

    def validate_unique(self) -> None:
        """Check nothing: the version is the action's."""

    def validate_constraints(self) -> None:
        """Check nothing: the action does, once it has filled in the rest."""


# As browsers know these fields.
AUTOCOMPLETE = {
    "legal_name": "organization",
    "street": "address-line1",
    "street_2": "address-line2",
    "city": "address-level2",
    "region": "address-level1",
    "postal_code": "postal-code",
    "country": "country",
    "invoice_email": "email",
}
