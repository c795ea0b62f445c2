"""The worklist: accounts in onboarding, the oldest first, and what the team does with many of them at once."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from django.conf import settings
from django.db.models import F, QuerySet
from django.db.models.functions import Coalesce, Now
from django.http import HttpRequest, HttpResponse
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from unfold.decorators import display
from unfold.views import ChangeList

from accounts.search import FOUND_BY, accounts_matching
from accounts.templatetags.accounts import local
from core.admin import BaseChangeList, HistoryAdmin, ReadOnly
from core.clock import database_now
from core.dates import days_in_words
from onboarding.admin.filters import (
    ActivatedFilter,
    AgeFilter,
    DeadlineFilter,
    GoLiveFilter,
    ModeFilter,
    OwnerFilter,
)
from onboarding.admin.plans import NoteForm
from onboarding.admin.worklist.doing import Doing
from onboarding.admin.worklist.exporting import Column, Exporting
from onboarding.models import GoLiveRequest, Onboarding
from onboarding.timeline import timeline
from onboarding.worklist import planned

MOMENTS = 100
MOST_FOUND = 1_000


class PageOfWorklist(BaseChangeList):
    """A page of the worklist. Which rows it has is asked first, and what is shown of them only for those."""

    queryset: Any
    result_list: Any

    def get_results(self, request: HttpRequest) -> None:
        found, self.queryset = self.queryset, self.queryset.values_list("pk", flat=True)
        super().get_results(request)
        self.queryset = found
        # An action wants the choice alone, and shows its own page.
        keys = [] if "action" in request.POST else list(self.result_list)
        self.result_list = self.model_admin.listed(request, keys) if keys else []


class Worklist(Doing, Exporting, ReadOnly, HistoryAdmin):
    """Accounts by age, with what is planned for them; whatever is done with them, an action does.

    Registered by `billing`, after `subscriptions` has added what it knows.
    """

    list_display: Any = ("number", "company", "age", "deadline", "wanted_on", "looked_after_by")
    list_display_links = ("number", "company")
    list_filter: Any = (DeadlineFilter, GoLiveFilter, OwnerFilter, AgeFilter, ModeFilter, ActivatedFilter)
    list_filter_sheet = True
    search_fields = ("account__number",)  # makes the box; get_search_results says what is looked for
    search_help_text = FOUND_BY
    ordering = ("started_at", "pk")
    list_before_template = "admin/onboarding/onboarding/narrowed.html"
    change_form_outer_before_template = "admin/onboarding/onboarding/head.html"
    change_form_outer_after_template = "admin/onboarding/onboarding/account.html"

    class Media:
        css = {"all": ["admin/worklist.css"]}

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows = planned(super().get_queryset(request))
        return rows.annotate(in_onboarding_for=Coalesce("activated_at", Now()) - F("started_at"))

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        if not search_term.strip():
            return queryset, False
        found = accounts_matching(search_term).order_by()
        # Few, as a rule: then they are looked for once, not once more to count and once more to export.
        keys = list(found.values_list("pk", flat=True)[: MOST_FOUND + 1])
        return queryset.filter(account__in=keys if len(keys) <= MOST_FOUND else found), False

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return PageOfWorklist

    def listed(self, request: HttpRequest, keys: Sequence[int]) -> list[Any]:
        """Return the rows with these keys, in their order, with all that the list shows of them."""
        rows = self.get_queryset(request).select_related("account", "owner").in_bulk(keys)
        now = database_now()
        found = [rows[key] for key in keys if key in rows]
        for row in found:
            row.today = row.account.day_of(now)
        return found

    @display(description="Account", ordering="account__number")
    def number(self, row: Onboarding) -> str:
        return row.account.number

    @display(description="Company", ordering="account__company")
    def company(self, row: Onboarding) -> str:
        return row.account.company

    @display(description="Mode", label={"In onboarding": "info", "Active": "success"})
    def mode(self, row: Onboarding) -> str:
        return "Active" if row.is_active else "In onboarding"

    @display(description="Age", ordering="in_onboarding_for")
    def age(self, row: Any) -> SafeString:
        return format_html('<span class="whitespace-nowrap">{}</span>', _days(row.in_onboarding_for.days))

    @display(description="Deadline", ordering="deadline", empty_value="–")
    def deadline(self, row: Any) -> SafeString | None:
        """Return the deadline in words, with the day it goes live by itself; of an active account, since when it is."""
        if row.is_active:
            return _lines(f"Active since {_short(row.activated_on)}")
        late = _days_late(row)
        return _lines(
            _short(row.deadline) if row.deadline else "",
            format_html('<span class="late">{} overdue</span>', _days(late)) if late > 0 else "",
            f"goes live {_short(row.goes_live_on)}" if row.goes_live_on else "",
        )

    @display(description="Go-live asked for", ordering="wanted_on", empty_value="–")
    def wanted_on(self, row: Any) -> SafeString | None:
        return _lines(_short(row.wanted_on)) if row.wanted_on else None

    @display(description="Owner", ordering="owner__email", empty_value="–")
    def looked_after_by(self, row: Onboarding) -> str | None:
        return str(row.owner) if row.owner else None

    def columns(self) -> Sequence[Column]:
        """Return the columns of the CSV: a title, and a function of a row that was `listed`."""
        return [
            ("account", lambda row: row.account.number),
            ("company", lambda row: row.account.company),
            ("age_in_days", lambda row: row.in_onboarding_for.days),
            ("deadline", lambda row: row.deadline or ""),
            ("go_live_asked_for", lambda row: row.wanted_on or ""),
            ("scheduled_for", lambda row: row.scheduled_on or ""),
            ("goes_live_on", lambda row: row.goes_live_on or ""),
            ("activated_on", lambda row: row.activated_on or ""),
            ("owner", lambda row: row.owner.email if row.owner else ""),
        ]

    def get_fields(self, request: HttpRequest, obj: Onboarding | None = None) -> Any:
        """Return what stays as it is; the cards around show the rest."""
        activated = (("until", "activated_by"), ("activated_from", "reason")) if obj and obj.is_active else ()
        return (("account", "since"), *activated)

    def get_readonly_fields(self, request: HttpRequest, obj: Onboarding | None = None) -> Any:
        return (*super().get_readonly_fields(request, obj), "since", "until")

    @display(description="In onboarding since")
    def since(self, row: Onboarding) -> str:
        """Return the instant as the timeline below does: by the account's own clock."""
        return local(row.started_at, row.account)

    @display(description="Activated")
    def until(self, row: Onboarding) -> str:
        return local(row.activated_at, row.account)

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        rows = self.listed(request, [int(self._checked_key(object_id))]) if object_id else []
        context: dict[str, Any] = {}
        if rows and request.method == "GET" and self.has_view_permission(request, rows[0]):
            context = self.account_context(request, rows[0])
        return super().changeform_view(request, object_id, form_url, {**(extra_context or {}), **context})

    def account_context(self, request: HttpRequest, row: Any) -> dict[str, Any]:
        """Return what the page of an account shows around its fields; the apps above add theirs."""
        waiting = GoLiveRequest.objects.open().filter(account=row.account_id).select_related("requested_by").first()
        return {
            "row": row,
            "due": _due(row),
            "policy_days": settings.ONBOARDING_DEADLINE_DAYS,
            "waiting": waiting,
            "moments": timeline(row.account, MOMENTS),
            "most_moments": MOMENTS,
            "may_plan": self.has_plan_permission(request),
            "may_activate": self.has_activate_permission(request),
            "note": NoteForm(initial={"accounts": str(row.account_id)}, auto_id="note_%s"),
        }


def _due(row: Any) -> str | None:
    """Return the deadline in words, and how late it is."""
    if row.deadline is None:
        return None
    late = _days_late(row)
    words = date_format(row.deadline)
    return f"{words}: {_days(late)} overdue" if late > 0 else words


def _days_late(row: Any) -> int:
    """Return how many days ago the deadline was, where the account is; of none, and of one to come, none."""
    return max(0, (row.today - row.deadline).days) if row.deadline else 0


def _short(day: date) -> str:
    return days_in_words(day, day)


def _lines(first: str, *more: str) -> SafeString | None:
    """Return the words one below the other, none of them broken: the list has many columns."""
    below = format_html_join("", '<span class="second">{}</span>', ((words,) for words in more if words))
    return format_html('<span class="nowrap">{}{}</span>', first, below) if first or below else None


def _days(count: int) -> str:
    return "1 day" if count == 1 else f"{count:,} days"
