"""The fate of everything that is stored of a month, and whether the fates add up (R36, I25)."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time

from django.db.models import Count, Q, Sum
from django.db.models.functions import Coalesce

from billing.charges import month_after
from billing.models import CallImport, CallRecord, RejectedCall, SetAsideCall

RECORDS = ("charged", "not_toll_free", "unmatched", "zero", "voided")


@dataclass(frozen=True)
class Reconciled:
    """What is stored of a month by fate: `fates` has rows and minutes of each, `remainder` the rows that have none.

    Records count in the month of their account's day, those without an account, and what was set aside, by UTC.
    Rejected rows may have no day: they count in the month they came in, and so do the rows that exist only as counts of
    their import. `wrong_imports` are those with records of the month, or of the month, whose counts are not what is
    stored of them.
    """

    month: date
    fates: dict[str, tuple[int, int]]
    remainder: int
    wrong_imports: list[CallImport]

    @property
    def adds_up(self) -> bool:
        return not self.remainder and not self.wrong_imports


def reconciled(month: date) -> Reconciled:
    """Return what is stored of a month, each row by its fate."""
    end = month_after(month)
    records = CallRecord.objects.started_between(month, end).order_by()
    fates: dict[str, tuple[int, int]] = {}
    for fate in RECORDS:
        of_fate = getattr(CallRecord.objects, fate)().started_between(month, end).order_by()
        found = of_fate.aggregate(rows=Count("*"), minutes=Coalesce(Sum("minutes"), 0))
        fates[fate] = (found["rows"], found["minutes"])
    stored = records.count()
    first, last = (datetime.combine(day, time(0), UTC) for day in (month, end))
    aside = SetAsideCall.objects.filter(started_at__gte=first, started_at__lt=last)
    rejects = RejectedCall.objects.filter(received_in__started_at__gte=first, received_in__started_at__lt=last)
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
    concerned = Q(pk__in=imports.values("pk")) | Q(pk__in=records.values("received_in"))
    return Reconciled(
        month, fates, remainder, [each for each in CallImport.objects.filter(concerned) if _is_wrong(each)]
    )


def _is_wrong(received: CallImport) -> bool:
    """Return whether an import's counts differ from what is stored of it; records taken later are not its own."""
    taken = SetAsideCall.objects.filter(received_in=received, state="taken").count()
    stored = CallRecord.objects.filter(received_in=received).count() - taken
    aside = SetAsideCall.objects.filter(received_in=received).count()
    rejects = RejectedCall.objects.filter(received_in=received).count()
    return (stored, aside) != (received.added, received.set_aside) or rejects > received.rejected
