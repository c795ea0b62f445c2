"""The forms of the pages on which the team plans, and who there is to look after an account."""

from typing import Any

from django import forms
from django.contrib.auth.models import Permission
from django.db.models import Q, QuerySet
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from accounts.models import User
from onboarding.admin.activation import ChosenForm

TEAMS_REASON = "For the team: it stays in the history of the account. The customer is told the deadline alone."


class DayInput(UnfoldAdminTextInputWidget):
    input_type = "date"

    def format_value(self, value: Any) -> str | None:
        text: str | None = value.isoformat() if hasattr(value, "isoformat") else value
        return text


def words(help_text: str = "", rows: int = 3, most: int = 2_000, **more: Any) -> forms.CharField:
    widget = UnfoldAdminTextareaWidget(attrs={"rows": rows})
    return forms.CharField(max_length=most, widget=widget, help_text=help_text, **more)


def team() -> QuerySet[User]:
    """Return who may activate accounts, and so look after one."""
    held = Permission.objects.filter(codename="activate_account", content_type__app_label="onboarding").values("pk")
    given = Q(groups__permissions__in=held) | Q(user_permissions__in=held)
    able = User.objects.filter(Q(is_superuser=True) | given).order_by().values("pk")
    return User.objects.filter(pk__in=able, is_active=True, is_staff=True).order_by("first_name", "last_name", "email")


class OwnerForm(ChosenForm):
    owner = forms.ModelChoiceField(
        queryset=User.objects.none(),
        required=False,
        empty_label="Nobody",
        widget=UnfoldAdminSelectWidget,
        label="Owner on the team",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        owner = self.fields["owner"]
        assert isinstance(owner, forms.ModelChoiceField)
        owner.queryset = team()


class DeadlineForm(ChosenForm):
    on = forms.DateField(label="Last day of onboarding", widget=DayInput)
    reason = words(TEAMS_REASON)


class ReasonForm(ChosenForm):
    reason = words(TEAMS_REASON)


class ScheduleForm(ChosenForm):
    on = forms.DateField(
        label="Day of the activation", widget=DayInput, help_text="Charging starts on this day, where the account is."
    )
    reason = words("Kept with the account for good, like “Customer confirmed by phone, ticket 4711”.", most=500)


class NoteForm(ChosenForm):
    text = words("For the team alone; customers never see it.", rows=4, most=4_000, label="Note")


class AnswerForm(ChosenForm):
    answer = words("The customer reads it in HostPilot and by e-mail.", rows=4)
