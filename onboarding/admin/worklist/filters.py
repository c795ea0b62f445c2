"""The filters of the worklist. What they show is what the dashboard counts, by the same conditions."""

from collections.abc import Iterable, Iterator
from datetime import date, datetime, time, timedelta
from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone

from accounts.models import User
from core.clock import database_now
from onboarding.admin.worklist.registry import WORKLIST, Filter
from onboarding.models import DeadlineRule, Onboarding
from onboarding.worklist import AGES, is_asked_for, is_due_soon, is_overdue, month_of, week_of


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


class DeadlineFilter(admin.SimpleListFilter):
    title = "deadline"
    parameter_name = "due"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        return [
            ("overdue", "Overdue"),
            ("soon", "Within 7 days"),
            ("own", "A date of its own"),
            ("none", "No deadline"),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if not self.value():
            return queryset
        now = database_now()
        of = {
            "overdue": is_overdue(now),
            "soon": is_due_soon(now),
            "own": Q(deadline_rule=DeadlineRule.FIXED),
            "none": Q(deadline=None),
        }
        return queryset.filter(of.get(self.value() or "", Q()))


class GoLiveFilter(admin.SimpleListFilter):
    title = "go-live"
    parameter_name = "asked"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        return [("yes", "Customer asks for it"), ("no", "Not asked for"), ("scheduled", "Scheduled")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        of = {"yes": is_asked_for(), "no": ~is_asked_for(), "scheduled": Q(scheduled_on__isnull=False)}
        return queryset.filter(of.get(self.value() or "", Q()))


class OwnerFilter(admin.SimpleListFilter):
    """Mine, nobody's, or a colleague's; the colleagues are those who own something."""

    title = "owner"
    parameter_name = "owner"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        owners = Onboarding.objects.in_onboarding().exclude(owner=None).order_by().values("owner")
        colleagues = User.objects.filter(pk__in=owners).exclude(pk=request.user.pk or 0).order_by("first_name", "email")
        return [("me", "Mine"), ("nobody", "Nobody’s"), *((str(user.pk), str(user)) for user in colleagues)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() == "me":
            return queryset.filter(owner=request.user.pk)
        if self.value() == "nobody":
            return queryset.filter(owner=None)
        return queryset.filter(owner=int(self.value() or "")) if self.value() else queryset


class AgeFilter(admin.SimpleListFilter):
    title = "age"
    parameter_name = "age"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        return [(ages.name, ages.words.capitalize()) for ages in AGES]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if not self.value():
            return queryset
        now = database_now()
        of = {ages.name: ages.condition(now) for ages in AGES}
        return queryset.filter(of.get(self.value() or "", Q()))


class ActivatedFilter(admin.SimpleListFilter):
    """Accounts that were activated this month, or in a week that its Monday names; by the provider's calendar, UTC."""

    title = "activated"
    parameter_name = "activated"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        return [("month", "This month"), ("week", "This week")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = self.value()
        if not value:
            return queryset
        now = database_now()
        if value == "month":
            return queryset.filter(activated_at__gte=month_of(now))
        begun = week_of(now) if value == "week" else midnight(date.fromisoformat(value))
        return queryset.filter(activated_at__gte=begun, activated_at__lt=begun + timedelta(days=7))


def midnight(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))


WORKLIST.register_filter(
    Filter(DeadlineFilter, place=10, shortcuts={"overdue": "Overdue", "soon": "Due within 7 days"})
)
WORKLIST.register_filter(Filter(GoLiveFilter, place=20, shortcuts={"yes": "Asks to go live"}))
WORKLIST.register_filter(Filter(OwnerFilter, place=30, shortcuts={"me": "Mine", "nobody": "Nobody’s"}))
WORKLIST.register_filter(Filter(AgeFilter, place=60))
WORKLIST.register_filter(Filter(ModeFilter, place=70))
WORKLIST.register_filter(Filter(ActivatedFilter, place=80))
