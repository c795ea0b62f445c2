"""Counts everything that is stored for a month by its fate, and checks that the counts add up (R36, I25)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any

from django.db.models import Count, Q, QuerySet, Sum
from django.db.models.functions import Coalesce

from billing.models import CallImport, CallRecord, RejectedCall, SetAsideCall
from billing.models.calls import FATES
from billing.pricing.charges import month_after


@dataclass(frozen=True)
class Reconciled:
    """What is stored for a month. `fates` has the number of rows and of minutes by fate; `remainder` rows have no fate.

    Records count in the month of their local day; those without an account, and those set aside, in their month in UTC.
    Rejected rows may have no day, so they count in the month in which they came in, as do rows that are only counted.
    `wrong_imports` are imports of the month, or with records of the month, whose counts differ from what is stored.
    """

    month: date
    fates: dict[str, tuple[int, int]]
    remainder: int
    wrong_imports: list[CallImport]

    @property
    def adds_up(self) -> bool:
        return not self.remainder and not self.wrong_imports


def reconciled(month: date) -> Reconciled:
    """Return what is stored for a month, by fate."""
    end = month_after(month)
    records = CallRecord.objects.started_between(month, end).order_by()
    found = records.aggregate(
        stored=Count("*"),
        **{f"{fate}_rows": Count("pk", filter=condition) for fate, condition in FATES.items()},
        **{f"{fate}_minutes": Coalesce(Sum("minutes", filter=condition), 0) for fate, condition in FATES.items()},
    )
    fates = {fate: (found[f"{fate}_rows"], found[f"{fate}_minutes"]) for fate in FATES}
    stored = found["stored"]
    first, last = (datetime.combine(day, time(0), UTC) for day in (month, end))
    aside = SetAsideCall.objects.filter(started_at__gte=first, started_at__lt=last)
    rejects = RejectedCall.objects.filter(call_import__started_at__gte=first, call_import__started_at__lt=last)
    for name, rows in (("set aside", aside), ("rejected", rejects)):
        in_state = dict(rows.order_by().values_list("state").annotate(rows=Count("*")))
        for state in rows.model.State.values:
            fates[f"{name}, {state}"] = (in_state.get(state, 0), 0)
        stored += rows.count()
    remainder = stored - sum(count for count, _ in fates.values())
    imports = CallImport.objects.filter(started_at__gte=first, started_at__lt=last)
    counted = imports.aggregate(answered=Coalesce(Sum("not_answered"), 0), none=Coalesce(Sum("not_a_call"), 0))
    fates["not answered (counts of imports)"] = (counted["answered"], 0)
    fates["not a call (counts of imports)"] = (counted["none"], 0)
    concerned = CallImport.objects.filter(Q(pk__in=imports.values("pk")) | Q(pk__in=records.values("call_import")))
    return Reconciled(month, fates, remainder, _wrong(list(concerned)))


def _wrong(imports: Sequence[CallImport]) -> list[CallImport]:
    """Return the imports whose counts differ from what is stored, without records that somebody took later."""

    def count(rows: QuerySet[Any]) -> Mapping[int, int]:
        of_imports = rows.filter(call_import__in=[each.pk for each in imports]).order_by()
        return dict(of_imports.values_list("call_import").annotate(rows=Count("*")))

    records, rejects = count(CallRecord.objects.all()), count(RejectedCall.objects.all())
    aside, taken = count(SetAsideCall.objects.all()), count(SetAsideCall.objects.filter(state=SetAsideCall.State.TAKEN))

    def is_wrong(each: CallImport) -> bool:
        stored = records.get(each.pk, 0) - taken.get(each.pk, 0), aside.get(each.pk, 0)
        return stored != (each.added, each.set_aside) or rejects.get(each.pk, 0) > each.rejected

    return [each for each in imports if is_wrong(each)]
