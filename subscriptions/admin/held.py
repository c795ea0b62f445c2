"""What accounts hold, in the back office."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.decorators import display

from core.admin import HistoryAdmin, ReadOnly
from subscriptions.held import held_by_accounts
from subscriptions.models import ContactCenter


@admin.register(ContactCenter)
class ContactCenterAdmin(ReadOnly, HistoryAdmin):
    """What each account holds now, with its ledger below. Read-only: it is changed only in HostPilot."""

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
        centers: QuerySet[ContactCenter] = super().get_queryset(request)
        return centers.select_related("account")

    @display(description="Held in all")
    def held(self, center: ContactCenter) -> str:
        return str(held_by_accounts([center.account_id]).get(center.account_id, "–"))
