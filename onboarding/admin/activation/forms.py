"""The forms with which the team confirms what is done to chosen accounts."""

import re
from collections.abc import Sequence
from typing import Any, Final

from django import forms
from django.core.exceptions import ValidationError
from unfold.widgets import UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from onboarding.admin.activation.objections import Ticks
from onboarding.admin.activation.review import Review

TYPED_ABOVE: Final = 20  # accounts that can be activated without typing their number
TICK = re.compile(r"([0-9]{1,18}):([a-z_,]*)\Z")


class ChosenForm(forms.Form):
    """The chosen accounts, with all primary keys in one field, since a form may have at most 5,000 fields."""

    accounts = forms.RegexField(r"^[0-9]{1,18}(,[0-9]{1,18})*\Z", widget=forms.HiddenInput)

    def clean_accounts(self) -> list[int]:
        return list(dict.fromkeys(int(key) for key in self.cleaned_data["accounts"].split(",")))


class TickedField(forms.Field):
    """The accounts that were ticked, each posted with the names of the objections shown: `5:scheduled,not_ready`."""

    widget = forms.MultipleHiddenInput

    def to_python(self, value: Any) -> dict[int, set[str]]:
        found = {}
        for each in value or ():
            tick = TICK.match(str(each))
            if tick is None:
                raise ValidationError("The selected accounts can't be read. Select them again.", code="invalid")
            found[int(tick[1])] = set(tick[2].split(","))
        return found


class ActivationForm(ChosenForm):
    """The reason for the activation, the accounts to activate despite objections, and how many are activated."""

    reason = forms.CharField(
        max_length=500,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
        help_text="Saved permanently in each account’s history. Example: “Customer confirmed by phone, ticket 4711”.",
        error_messages={"required": "Enter a reason for the activation."},
    )
    despite = TickedField(required=False)
    number = forms.CharField(
        label="Number of accounts",
        required=False,
        max_length=20,
        widget=UnfoldAdminTextInputWidget(attrs={"inputmode": "numeric", "autocomplete": "off"}),
        help_text=f"To activate more than {TYPED_ABOVE} accounts, type how many.",
    )

    def __init__(self, data: Any = None, *, review: Review, **kwargs: Any) -> None:
        super().__init__(data, **kwargs)
        self.review = review

    @property
    def ticked(self) -> Ticks:
        """The accounts that were ticked, as far as they can be read."""
        found: Ticks = self.cleaned_data.get("despite", {}) if self.is_bound else {}
        return found

    @property
    def chosen(self) -> list[int]:
        """The keys of the accounts to activate."""
        return self.review.chosen(self.ticked)

    def clean(self) -> dict[str, Any]:
        count = len(self.chosen)
        if self.review.keys and not count and "despite" not in self.errors:
            self.add_error("despite", "Select at least one account to activate.")
        if count > TYPED_ABOVE:
            self._check_number(count)
        return self.cleaned_data

    def _check_number(self, count: int) -> None:
        """Add an error to the form unless the number of accounts was typed. Separators are ignored."""
        typed = self.cleaned_data.get("number", "")
        if re.sub(r"[\s,]", "", typed) == str(count) or "number" in self.errors:
            return
        said = f"You typed {typed}, but {count:,} accounts would be activated. Check the list. " if typed else ""
        self.add_error("number", f"{said}To activate {count:,} accounts, type {count:,} here.")


def joined(accounts: Sequence[int]) -> str:
    return ",".join(map(str, accounts))
