"""The worklist, with what accounts hold and how ready they are."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from unfold.decorators import display

from onboarding.admin import Worklist
from onboarding.admin.worklist import Column
from onboarding.models import Onboarding
from subscriptions.held import held_by_accounts
from subscriptions.models import Item, ItemKind
from subscriptions.readiness import WHOLE, Readiness, is_ready, readiness_of, readiness_score


class ReadyFilter(admin.SimpleListFilter):
    title = "readiness"
    parameter_name = "ready"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        return [("yes", "Ready"), ("no", "Something is missing")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Onboarding]) -> QuerySet[Onboarding]:
        of = {"yes": is_ready(), "no": ~is_ready()}
        return queryset.filter(of.get(self.value() or "", Q()))


class EditionFilter(admin.SimpleListFilter):
    title = "edition"
    parameter_name = "edition"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        return Item.objects.of_kind(ItemKind.PRODUCT).values_list("sku", "name")

    def queryset(self, request: HttpRequest, queryset: QuerySet[Onboarding]) -> QuerySet[Onboarding]:
        return queryset.filter(account__contact_center__edition__sku=self.value()) if self.value() else queryset


class WorklistOfHeld(Worklist):
    """The worklist with editions and readiness. `billing` registers it, and adds what it knows."""

    list_display: Any = ("number", "company", "edition", "age", "deadline", "wanted_on", "looked_after_by", "readiness")
    list_filter: Any = (*Worklist.list_filter[:3], ReadyFilter, EditionFilter, *Worklist.list_filter[3:])

    def listed(self, request: HttpRequest, keys: Sequence[int]) -> list[Any]:
        rows = super().listed(request, keys)
        accounts = [row.account_id for row in rows]
        held, readiness = held_by_accounts(accounts), readiness_of(accounts)
        for row in rows:
            row.held = held.get(row.account_id)
            row.ready = readiness.get(row.account_id, Readiness())
        return rows

    @display(description="Edition", ordering="account__contact_center__edition__name")
    def edition(self, row: Any) -> str:
        return row.held.edition.removeprefix("Contact Center ") if row.held else "–"

    @display(description="Readiness", ordering=readiness_score())
    def readiness(self, row: Any) -> SafeString:
        return meter(row.ready)

    def columns(self) -> Sequence[Column]:
        return [
            *super().columns(),
            ("edition", lambda row: row.held.edition if row.held else ""),
            ("ready", lambda row: f"{row.ready.ready} of {WHOLE}"),
            ("missing", lambda row: "" if row.ready.is_whole else str(row.ready)),
        ]


def meter(readiness: Readiness) -> SafeString:
    """Return how ready an account is as a picture with its words."""
    parts = format_html_join("", '<i class="{}"></i>', (("done" if done else "",) for done, _ in readiness.steps))
    return format_html(
        '<span class="meter"><span aria-hidden="true">{}</span>{} of {}<span class="second">{}</span></span>',
        parts,
        readiness.ready,
        WHOLE,
        readiness,
    )
