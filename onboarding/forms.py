"""The form of a go-live request."""

from django import forms
from django.utils.translation import gettext_lazy as _


class GoLiveForm(forms.Form):
    """The requested go-live date, and a note for the Onboarding team."""

    wanted_on = forms.DateField(
        label=_("Day you would like to go live"),
        widget=forms.DateInput(attrs={"type": "date", "class": "short"}, format="%Y-%m-%d"),
        help_text=_("From that day everything your account holds is charged."),
    )
    note = forms.CharField(
        label=_("Anything the Onboarding team should know"),
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 3}),
    )
