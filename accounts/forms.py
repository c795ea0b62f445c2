"""The forms of the account's own pages."""

from datetime import date, datetime, time, timedelta
from typing import Any

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.events import Cursor, EventKind, Wanted
from accounts.events.values import OF_SYSTEM, OF_TEAM, SYSTEM, TEAM
from accounts.models import Account, User

FIRST_DAY, LAST_DAY = date(2000, 1, 1), date(2199, 12, 31)


class DayField(forms.DateField):
    """An optional day from 2000 to 2199, so that adding a day or a time to it can't overflow."""

    def __init__(self, **kwargs: Any) -> None:
        outside = _("Choose a day from 2000 to 2199.")
        super().__init__(
            required=False,
            widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
            input_formats=["%Y-%m-%d", "%m/%d/%Y"],
            error_messages={"invalid": _("Write the day like 2026-03-31.")},
            validators=[MinValueValidator(FIRST_DAY, outside), MaxValueValidator(LAST_DAY, outside)],
            **kwargs,
        )


class EventsForm(forms.Form):
    """The filters of the audit log page."""

    kind = forms.ChoiceField(label=_("What"), required=False)
    who = forms.ChoiceField(label=_("Who"), required=False)
    since = DayField(label=_("From"))
    until = DayField(label=_("Until"))
    before = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, account: Account, people: list[User], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.account = account
        persons = [(str(user.pk), str(user)) for user in people]
        for name, choices in (
            ("kind", [("", gettext("Everything")), *EventKind.choices]),
            ("who", [("", gettext("Everybody")), *persons, (OF_TEAM, gettext(TEAM)), (OF_SYSTEM, gettext(SYSTEM))]),
        ):
            field = self.fields[name]
            assert isinstance(field, forms.ChoiceField)
            field.choices = choices
            field.error_messages["invalid_choice"] = gettext("Choose one of the list.")

    def clean(self) -> dict[str, Any]:
        """Return the filters, with an error on `until` if it is before `since`."""
        filters = super().clean() or {}
        since, until = filters.get("since"), filters.get("until")
        if since and until and until < since:
            self.add_error(
                "until", forms.ValidationError(_("Choose a day that is not before the first."), code="order")
            )
        return filters

    def wanted(self) -> Wanted:
        """Return which events to read, in whole days of the account's time zone. The form must be valid."""
        filters = self.cleaned_data
        since, until = filters["since"], filters["until"]
        return Wanted(
            kind=filters["kind"],
            who=filters["who"],
            since=self._start_of_day(since) if since else None,
            until=self._start_of_day(until + timedelta(days=1)) if until else None,
            before=Cursor.read(filters["before"]),
        )

    def _start_of_day(self, day: date) -> datetime:
        return datetime.combine(day, time(0), tzinfo=self.account.zone)
