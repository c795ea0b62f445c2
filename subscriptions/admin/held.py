"""What accounts hold: on its own page, and in the Onboarding team's worklist."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.decorators import display
from unfold.views import ChangeList

from accounts.admin import HistoryAdmin, ReadOnly
from onboarding.admin import Worklist
from onboarding.models import Onboarding
from subscriptions.held import held_by_accounts
from subscriptions.models import ContactCenter


class ListWithHeld(ChangeList):
    """A page of the worklist, with what its accounts hold, by one query."""

    result_list: Any

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        rows: list[Any] = list(self.result_list)
        held = held_by_accounts([row.account_id for row in rows])
        for row in rows:
            row.held = held.get(row.account_id)
        self.result_list = rows


@admin.register(Onboarding)
class OnboardingAdmin(Worklist):
    list_display = (*Worklist.list_display, "held")
    fields = (*Worklist.fields, "held_now")

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return ListWithHeld

    @display(description="Held")
    def held(self, row: Any) -> str:
        return str(row.held or "–")

    @display(description="Held now")
    def held_now(self, row: Onboarding) -> str:
        return str(held_by_accounts([row.account_id]).get(row.account_id, "–"))


@admin.register(ContactCenter)
class ContactCenterAdmin(ReadOnly, HistoryAdmin):
    """What each account holds now, with its ledger below; changed in HostPilot only."""

    list_display = ("account", "edition", "seats", "storage", "package", "installed_at")
    list_select_related = ("account", "edition", "storage", "package")
    list_filter = ("installed_at",)
    search_fields = ("account__number", "account__company")
    search_help_text = "Number or company of the account"
    fields = (
        ("account", "installed_at"),
        ("edition", "seats"),
        ("storage", "package"),
        "held",
        "version",
    )
    ordering = ("-pk",)
    change_form_outer_after_template = "admin/subscriptions/contactcenter/ledger.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[ContactCenter]:
        return super().get_queryset(request).select_related("account")

    @display(description="Held in all")
    def held(self, center: ContactCenter) -> str:
        return str(held_by_accounts([center.account_id]).get(center.account_id, "–"))
