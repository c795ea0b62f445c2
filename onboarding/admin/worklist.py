"""The worklist: accounts in onboarding, the oldest first."""

from collections.abc import Iterable, Iterator
from typing import Any

from django.contrib import admin, messages
from django.db.models import F, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce, Now
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.formats import date_format
from unfold.decorators import action, display
from unfold.enums import ActionVariant

from accounts.admin import HistoryAdmin, ReadOnly
from onboarding.admin.activation import PERMISSION, ActivationForm, activation_page, keys_of
from onboarding.models import GoLiveRequest, Onboarding


class ModeFilter(admin.SimpleListFilter):
    """Shows accounts in onboarding unless others are asked for."""

    title = "mode"
    parameter_name = "mode"
    of = {None: Q(activated_at=None), "active": Q(activated_at__isnull=False), "all": Q()}

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        return [("active", "Active"), ("all", "All")]

    def choices(self, changelist: Any) -> Iterator[Any]:
        for mode, title in ((None, "In onboarding"), *self.lookup_choices):
            yield {
                "selected": (self.value() if self.value() in self.of else None) == mode,
                "query_string": changelist.get_query_string({self.parameter_name: mode}),
                "display": title,
            }

    def queryset(self, request: HttpRequest, queryset: QuerySet[Onboarding]) -> QuerySet[Onboarding]:
        return queryset.filter(self.of.get(self.value(), self.of[None]))


class GoLiveFilter(admin.SimpleListFilter):
    title = "go-live"
    parameter_name = "asked"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        return [("yes", "Customer asks for it"), ("no", "Not asked for")]

    def queryset(self, request: HttpRequest, queryset: Any) -> QuerySet[Onboarding]:
        if self.value() in ("yes", "no"):
            return queryset.filter(wanted_on__isnull=self.value() == "no")
        return queryset


class Worklist(ReadOnly, HistoryAdmin):
    """Accounts by age, and the way to activate them; nothing else of them is changed here.

    Registered by `subscriptions`, which adds what each account holds.
    """

    list_display: Any = ("number", "company", "mode", "age", "wanted_on")
    list_display_links = ("number", "company")
    list_filter = (ModeFilter, GoLiveFilter, "started_at")
    list_select_related: Any = ("account",)
    search_fields = ("account__number", "account__company")
    search_help_text = "Number or company"
    ordering = ("started_at", "pk")
    fields: Any = (
        ("account", "mode"),
        ("started_at", "age"),
        ("wanted_on", "wanted_note"),
        ("activated_at", "activated_by"),
        ("activated_from", "reason"),
    )
    actions = ("activate_selected",)
    actions_detail = ("activate_one",)

    def has_activate_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm(PERMISSION)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Onboarding]:
        asked = GoLiveRequest.objects.open().filter(account=OuterRef("account"))
        return (
            super()
            .get_queryset(request)
            .annotate(
                wanted_on=Subquery(asked.values("wanted_on")[:1]),
                wanted_note=Subquery(asked.values("note")[:1]),
                in_onboarding_for=Coalesce("activated_at", Now()) - F("started_at"),
            )
        )

    @display(description="Account", ordering="account__number")
    def number(self, row: Onboarding) -> str:
        return row.account.number

    @display(description="Company", ordering="account__company")
    def company(self, row: Onboarding) -> str:
        return row.account.company

    @display(description="Mode", label={"In onboarding": "info", "Active": "success"})
    def mode(self, row: Onboarding) -> str:
        return "Active" if row.is_active else "In onboarding"

    @display(description="Time in onboarding", ordering="in_onboarding_for")
    def age(self, row: Any) -> str:
        days = row.in_onboarding_for.days
        return "1 day" if days == 1 else f"{days} days"

    @display(description="Go-live asked for", ordering="wanted_on", empty_value="–")
    def wanted_on(self, row: Any) -> str | None:
        return date_format(row.wanted_on) if row.wanted_on else None

    @display(description="Customer's note", empty_value="–")
    def wanted_note(self, row: Any) -> str | None:
        return row.wanted_note

    def get_urls(self) -> list[URLPattern]:
        return [
            path("activate/", self.admin_site.admin_view(self.activate_chosen), name="onboarding_activate"),
            *super().get_urls(),
        ]

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """Offer the button only where there is something to activate."""
        row = self.get_object(request, str(object_id))
        return super().get_actions_detail(request, object_id) if row and not row.is_active else []

    @action(description="Activate…", permissions=["activate"], url_path="activate", icon="rocket_launch")
    def activate_selected(self, request: HttpRequest, queryset: QuerySet[Onboarding]) -> HttpResponse | None:
        accounts = keys_of(queryset)
        if not accounts:
            messages.warning(request, "None of these accounts is in this list any more.")
            return None
        there = reverse("admin:onboarding_activate")
        return activation_page(self, request, accounts, back=self._list_address(), action=there)

    @action(
        description="Activate…",
        permissions=["activate"],
        url_path="activate",
        icon="rocket_launch",
        variant=ActionVariant.PRIMARY,
    )
    def activate_one(self, request: HttpRequest, object_id: str) -> HttpResponse:
        row = self.get_object(request, object_id)
        if row is None:
            raise Http404
        back = reverse("admin:onboarding_onboarding_change", args=[row.pk])
        return activation_page(self, request, [row.account_id], back=back)

    def activate_chosen(self, request: HttpRequest) -> HttpResponse:
        """Take the confirmation of what was chosen in the list; without one there is nothing to show or do."""
        if not self.has_activate_permission(request):
            return activation_page(self, request, [], back="")
        form = ActivationForm(request.POST)
        form.full_clean()
        accounts = form.cleaned_data.get("accounts")
        if request.method != "POST" or not accounts:
            messages.warning(request, "Choose the accounts to activate in this list first.")
            return HttpResponseRedirect(self._list_address())
        return activation_page(self, request, accounts, back=self._list_address())

    def _list_address(self) -> str:
        return reverse("admin:onboarding_onboarding_changelist")
