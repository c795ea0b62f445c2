"""What subscriptions adds to the worklist: an account's subscription and readiness."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from core.admin import Panel
from onboarding.admin.activation import Objection, register_objection
from onboarding.admin.worklist import WORKLIST, Column, Export, Filter, Loader
from onboarding.models import Onboarding
from subscriptions.held import SubscriptionSummary, held_by_accounts
from subscriptions.models import Item, ItemKind
from subscriptions.readiness import STEPS, Readiness, is_ready, readiness_of, readiness_score


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


def held_of(rows: Sequence[Any]) -> dict[int, SubscriptionSummary]:
    return held_by_accounts([row.account_id for row in rows])


def ready_of(rows: Sequence[Any]) -> dict[int, Readiness]:
    return readiness_of([row.account_id for row in rows])


HELD = Loader[SubscriptionSummary | None]("held", load=held_of, missing=None)
READINESS = Loader("readiness", load=ready_of, missing=Readiness())


def edition(row: Any) -> str | None:
    held = HELD.of(row)
    return held.edition.removeprefix("Contact Center ") if held else None


def full_edition(row: Any) -> str:
    held = HELD.of(row)
    return held.edition if held else ""


def missing(row: Any) -> str:
    readiness = READINESS.of(row)
    return "" if readiness.is_whole else str(readiness)


def readiness_panel(request: HttpRequest, row: Any) -> dict[str, Any]:
    return {"readiness": READINESS.of(row), "steps": STEPS, "held": HELD.of(row)}


def meter(readiness: Readiness) -> SafeString:
    """Return an account's readiness as a small meter with text."""
    parts = format_html_join("", '<i class="{}"></i>', (("done" if done else "",) for done, _ in readiness.steps))
    return format_html(
        '<span class="meter"><span aria-hidden="true">{}</span>{} of {}<span class="second">{}</span></span>',
        parts,
        readiness.ready,
        STEPS,
        readiness,
    )


def not_ready(rows: Sequence[Any]) -> dict[int, str]:
    """Return what accounts lack, by key, without those that are ready."""
    found = ready_of(rows)
    readiness = {row.account_id: found.get(row.account_id, READINESS.missing) for row in rows}
    return {account: f"Not ready: {each}" for account, each in readiness.items() if not each.is_whole}


register_objection(Objection("not_ready", "Not ready", place=40, load=not_ready))
WORKLIST.register_loader(HELD)
WORKLIST.register_loader(READINESS)
WORKLIST.register_column(
    Column(
        "edition",
        title="Edition",
        place=30,
        show=edition,
        sort_by="account__contact_center__edition__name",
        exports=[Export("edition", full_edition, place=100)],
    )
)
WORKLIST.register_column(
    Column(
        "readiness",
        title="Readiness",
        place=80,
        show=lambda row: meter(READINESS.of(row)),
        sort_by=readiness_score(),
        exports=[
            Export("ready", lambda row: READINESS.of(row).fraction, place=110),
            Export("missing", missing, place=120),
        ],
    )
)
WORKLIST.register_filter(Filter(ReadyFilter, place=40, shortcuts={"yes": "Ready"}))
WORKLIST.register_filter(Filter(EditionFilter, place=50))
WORKLIST.register_panel(
    Panel(
        "readiness",
        "admin/subscriptions/worklist/readiness.html",
        area="cards",
        place=10,
        context=readiness_panel,
    )
)
