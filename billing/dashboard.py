"""The Billing team's figures: the last run, what waits for a person, and unbilled months. Eight queries."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from billing.models import BillOnHold, BillRun, CallFeed, CallRecord, RejectedCall, SetAsideCall, UnbilledMonth

MOST_COUNTED: Final = 10_000


@dataclass(frozen=True)
class BillingFigures:
    """What the dashboard shows about billing. Calls that wait for a person are only counted up to MOST_COUNTED.

    `rejected` bills wait until they would be different, or until a person runs their month. `unbilled` has the months
    as they were last counted, the oldest first.
    """

    run: BillRun | None
    held: int
    rejected: int
    unmatched: int
    unbilled: Sequence[UnbilledMonth]
    set_aside: int = 0
    rejected_rows: int = 0
    feed: CallFeed | None = None

    @property
    def unmatched_words(self) -> str:
        return f"{MOST_COUNTED:,} or more" if self.unmatched >= MOST_COUNTED else f"{self.unmatched:,}"


def figures() -> BillingFigures:
    """Return the current figures."""
    return BillingFigures(
        run=BillRun.objects.order_by("-pk").first(),
        held=BillOnHold.objects.waiting().count(),
        rejected=BillOnHold.objects.rejected_and_unbilled().count(),
        feed=CallFeed.objects.first(),
        set_aside=SetAsideCall.objects.open().order_by()[:MOST_COUNTED].count(),
        rejected_rows=RejectedCall.objects.open().order_by()[:MOST_COUNTED].count(),
        unmatched=CallRecord.objects.unmatched().order_by()[:MOST_COUNTED].count(),
        unbilled=list(UnbilledMonth.objects.all()),
    )
