"""Customers' requests to go live."""

from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.decorators import display

from core.admin import HistoryAdmin, ReadOnly
from onboarding.models import GoLiveRequest, GoLiveRequestQuerySet


class StateFilter(admin.SimpleListFilter):
    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        return [
            ("waiting", "Waiting"),
            ("answered", "Answered"),
            ("done", "Account is active"),
            ("withdrawn", "Withdrawn"),
        ]

    def queryset(self, request: HttpRequest, queryset: Any) -> QuerySet[GoLiveRequest]:
        requests: GoLiveRequestQuerySet = queryset
        if self.value() == "waiting":
            return requests.open()
        if self.value() == "withdrawn":
            return requests.exclude(withdrawn_at=None)
        if self.value() == "done":
            return requests.filter(withdrawn_at=None, answered_at=None).exclude(account__onboarding__activated_at=None)
        if self.value() == "answered":
            return requests.exclude(answered_at=None)
        return requests


@admin.register(GoLiveRequest)
class GoLiveRequestAdmin(ReadOnly, HistoryAdmin):
    """Go-live requests, which customers make and withdraw in HostPilot.

    The team settles one with a written answer or by activating the account.
    """

    list_display = ("account", "wanted_on", "state", "requested_at", "requested_by", "note")
    list_filter = (StateFilter, "wanted_on")
    list_select_related = ("account__onboarding", "requested_by")
    search_fields = ("account__number", "account__company", "requested_by__email")
    search_help_text = "Number or company of the account, or the e-mail address of who asked"
    fields = (
        ("account", "state"),
        ("wanted_on", "note"),
        ("requested_at", "requested_by"),
        ("withdrawn_at", "withdrawn_by"),
        ("answered_at", "answered_by"),
        "answer",
    )

    def get_ordering(self, request: HttpRequest) -> tuple[str, ...]:
        """Sort by the wanted date: of those that wait, the soonest first, otherwise the latest."""
        return ("wanted_on", "pk") if request.GET.get("state") == "waiting" else ("-wanted_on", "-pk")

    @display(description="State", label={"Waiting": "warning", "Account is active": "success"})
    def state(self, request: GoLiveRequest) -> str:
        if request.withdrawn_at:
            return "Withdrawn"
        if request.answered_at:
            return "Answered"
        return "Account is active" if request.account.onboarding.is_active else "Waiting"
