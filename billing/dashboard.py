"""The Billing team's figures: the last run, and what waits for a person. Six queries."""

from dataclasses import dataclass
from typing import Final

from billing.models import BillRun, CallFeed, CallRecord, HeldBill, RejectedCall, SetAsideCall

MOST_COUNTED: Final = 10_000


@dataclass(frozen=True)
class Figures:
    """What the dashboard shows of billing; what waits is counted up to MOST_COUNTED."""

    run: BillRun | None
    held: int
    unmatched: int
    set_aside: int = 0
    rejected: int = 0
    feed: CallFeed | None = None

    @property
    def unmatched_words(self) -> str:
        return f"{MOST_COUNTED:,} or more" if self.unmatched >= MOST_COUNTED else f"{self.unmatched:,}"


def figures() -> Figures:
    """Return the figures as they stand."""
    return Figures(
        run=BillRun.objects.order_by("-pk").first(),
        held=HeldBill.objects.waiting().count(),
        feed=CallFeed.objects.first(),
        set_aside=SetAsideCall.objects.open().order_by()[:MOST_COUNTED].count(),
        rejected=RejectedCall.objects.open().order_by()[:MOST_COUNTED].count(),
        unmatched=CallRecord.objects.unmatched().order_by()[:MOST_COUNTED].count(),
    )
