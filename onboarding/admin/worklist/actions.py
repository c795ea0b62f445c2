"""What is done from the worklist: with those chosen in the list, or with the one whose page it is."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from unfold.admin import ModelAdmin
from unfold.decorators import action

from core.admin import Button
from core.verbs import stands_for, verb_of
from onboarding.admin.activation import PERMISSION, ChosenForm, activation_page, keys_of
from onboarding.admin.plans import DEADLINE, OF_MANY, OWNER, PLAN_PAGES, PLANS_PERMISSION, SCHEDULE, Plan, plan_page
from onboarding.admin.results import result_page
from onboarding.admin.worklist.registry import WORKLIST
from onboarding.models import Onboarding


class WorklistActions(ModelAdmin):
    """The actions of the worklist and the pages they lead to. Each asks for its permission again when it is posted."""

    actions: Any = ("activate_selected", *(f"{plan.name}_selected" for plan in OF_MANY))
    row_or_404: Any  # of BaseAdmin

    def has_activate_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm(PERMISSION)

    def has_plan_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm(PLANS_PERMISSION)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Deny an action that this member of staff is not offered; Django would show the list again."""
        asked = request.POST.get("action")
        if asked in self.actions and asked not in self.get_actions(request):
            raise PermissionDenied
        response: HttpResponse = super().changelist_view(request, extra_context)
        return response

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        chosen = [
            path(f"{plan.name}/", view(self._of_chosen(plan)), name=f"onboarding_{plan.name}") for plan in OF_MANY
        ]
        one = [
            path(f"<path:object_id>/{plan.name}/", view(self._of_one(plan)), name=f"onboarding_onboarding_{plan.name}")
            for plan in PLAN_PAGES
        ]
        activate = path("activate/", view(self.activate_chosen), name="onboarding_activate")
        result = path("result/<uuid:token>/", view(self.result), name="onboarding_result")
        return [activate, result, *chosen, *one, *super().get_urls()]

    @action(description="Activate…", permissions=["activate"], url_path="activate", icon="rocket_launch")
    @stands_for("activate")
    def activate_selected(self, request: HttpRequest, queryset: QuerySet[Onboarding]) -> HttpResponse | None:
        accounts = self._chosen(request, queryset)
        there = reverse("admin:onboarding_activate")
        return activation_page(self, request, accounts, back=self._list_address(), action=there) if accounts else None

    @action(description="Assign an owner…", permissions=["plan"], icon="person")
    @stands_for("assign_owner")
    def owner_selected(self, request: HttpRequest, queryset: QuerySet[Onboarding]) -> HttpResponse | None:
        return self._plan_selected(request, queryset, OWNER)

    @action(description="Extend the deadline…", permissions=["plan"], icon="event_upcoming")
    @stands_for("set_deadline")
    def deadline_selected(self, request: HttpRequest, queryset: QuerySet[Onboarding]) -> HttpResponse | None:
        return self._plan_selected(request, queryset, DEADLINE)

    @action(description="Schedule the activation…", permissions=["activate"], icon="schedule")
    @stands_for("schedule_activation")
    def schedule_selected(self, request: HttpRequest, queryset: QuerySet[Onboarding]) -> HttpResponse | None:
        return self._plan_selected(request, queryset, SCHEDULE)

    @stands_for("activate")
    def activate_chosen(self, request: HttpRequest) -> HttpResponse:
        """Take the confirmation of what was chosen in the list; without one there is nothing to show or do."""
        if not self.has_activate_permission(request):
            return activation_page(self, request, [], back="")
        accounts = _posted(request)
        if not accounts:
            return self._choose_first(request, "Choose the accounts to activate in this list first.")
        return activation_page(self, request, accounts, back=self._list_address())

    def result(self, request: HttpRequest, token: UUID) -> HttpResponse:
        """Show what became of the accounts that were chosen in the list."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        return result_page(self, request, token)

    def _plan_selected(self, request: HttpRequest, queryset: QuerySet[Onboarding], plan: Plan) -> HttpResponse | None:
        accounts = self._chosen(request, queryset)
        there = reverse(f"admin:onboarding_{plan.name}")
        return plan_page(self, request, plan, accounts, back=self._list_address(), action=there) if accounts else None

    def _of_chosen(self, plan: Plan) -> Callable[[HttpRequest], HttpResponse]:
        """Return the view that takes the plan's form for what was chosen in the list."""

        @stands_for(verb_of(plan.run))
        def view(request: HttpRequest) -> HttpResponse:
            accounts = _posted(request)
            if not accounts and request.user.has_perm(plan.permission):
                return self._choose_first(request, "Choose the accounts in this list first.")
            return plan_page(self, request, plan, accounts, back=self._list_address(), action=request.path)

        return view

    def _of_one(self, plan: Plan) -> Callable[[HttpRequest, str], HttpResponse]:
        """Return the view with the plan's form for one account."""

        @stands_for(verb_of(plan.run))
        def view(request: HttpRequest, object_id: str) -> HttpResponse:
            row = self.row_or_404(request, object_id)
            return plan_page(self, request, plan, [row.account_id], back=_page_of(row))

        return view

    def _chosen(self, request: HttpRequest, queryset: QuerySet[Onboarding]) -> list[int]:
        accounts = keys_of(queryset)
        if not accounts:
            messages.warning(request, "None of these accounts is in this list any more.")
        return accounts

    def _choose_first(self, request: HttpRequest, words: str) -> HttpResponse:
        messages.warning(request, words)
        return HttpResponseRedirect(self._list_address())

    def _list_address(self) -> str:
        return reverse("admin:onboarding_onboarding_changelist")


def activate_one(model_admin: Any, request: HttpRequest, object_id: str) -> HttpResponse:
    row = model_admin.row_or_404(request, object_id)
    return activation_page(model_admin, request, [row.account_id], back=_page_of(row))


def _page_of(row: Onboarding) -> str:
    return reverse("admin:onboarding_onboarding_change", args=[row.pk])


def _posted(request: HttpRequest) -> list[int]:
    """Return the keys that a confirmation was posted with, or none where it is not one."""
    form = ChosenForm(request.POST)
    form.full_clean()
    return form.cleaned_data.get("accounts") or [] if request.method == "POST" else []


WORKLIST.register_button(
    Button(
        "activate_one",
        title="Activate…",
        path="activate",
        icon="rocket_launch",
        place=10,
        permission=PERMISSION,
        verb="activate",
        view=activate_one,
        is_offered=lambda row: not row.is_active,
        is_primary=True,
    )
)
