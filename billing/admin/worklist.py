"""The worklist, with the minutes accounts used and what they are worth a month once they are live."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import ORDER_VAR
from django.http import HttpRequest
from django.utils.functional import cached_property
from unfold.decorators import display
from unfold.views import ChangeList

from billing.previews.estimate import first_bills
from billing.previews.monthly_recurring import (
    minutes_so_far,
    minutes_to_sort_by,
    monthly_recurring,
    monthly_recurring_to_sort_by,
)
from core.clock import database_now
from core.money import money
from onboarding.admin.worklist import Column, PageOfWorklist
from onboarding.models import Onboarding
from subscriptions.admin import WorklistOfHeld

PREVIEWED = timedelta(days=30)


class PageWithMoney(PageOfWorklist):
    """A page of the worklist that can be sorted by what accounts are worth, which depends on the prices of the day."""

    @cached_property
    def worth(self) -> Any:
        return monthly_recurring_to_sort_by(database_now())

    def get_ordering_field(self, field_name: str) -> Any:
        """Return what a column is sorted by; of the value only where the list is sorted, since it reads the prices."""
        if field_name == "value" and ORDER_VAR in self.params:
            return self.worth
        return super().get_ordering_field(field_name)


@admin.register(Onboarding)
class OnboardingAdmin(WorklistOfHeld):
    """The whole worklist."""

    list_display = (*WorklistOfHeld.list_display, "minutes", "value")

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return PageWithMoney

    def listed(self, request: HttpRequest, keys: Sequence[int]) -> list[Any]:
        rows = super().listed(request, keys)
        used = minutes_so_far([row.account_id for row in rows])
        values = monthly_recurring({row.account: row.today for row in rows})
        for row in rows:
            row.minutes, row.value = used.get(row.account_id, 0), values.get(row.account_id)
        return rows

    def account_context(self, request: HttpRequest, row: Any) -> dict[str, Any]:
        """Return the first bill too: were the account activated today, or on the day that is asked for as `on`."""
        context = super().account_context(request, row)
        if row.is_active:
            return context
        last = row.today + PREVIEWED
        try:
            day = date.fromisoformat(request.GET.get("on", row.today.isoformat()))
        except ValueError:
            day = date.max
        is_possible = row.today <= day <= last
        day = day if is_possible else row.today
        preview = first_bills([row.account], {row.account_id: day}).get(row.account_id)
        return {**context, "preview": preview, "preview_on": day, "preview_last": last, "no_such_day": not is_possible}

    @display(description="Toll-free minutes", ordering=minutes_to_sort_by())
    def minutes(self, row: Any) -> str:
        return f"{row.minutes:,}"

    @display(description="Monthly, once live", ordering="value", empty_value="–")
    def value(self, row: Any) -> str | None:
        return None if row.value is None else money(row.value)

    def columns(self) -> Sequence[Column]:
        return [
            *super().columns(),
            ("toll_free_minutes", lambda row: row.minutes),
            ("monthly_once_live_usd", lambda row: "" if row.value is None else row.value),
        ]
