"""People are told before their account becomes active by itself (R11)."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime

from onboarding.deadlines import ONE_DAY
from onboarding.models import NoticeKind, Onboarding
from onboarding.notices.enqueue import enqueue


def tell_announced(rows: Sequence[Onboarding], now: datetime) -> None:
    """Enqueue the notice of each account's announced day, if it has one: that it is tomorrow, or else that it comes."""
    told: defaultdict[tuple[date, NoticeKind, str], list[int]] = defaultdict(list)
    for row in rows:
        if row.announced_for is not None:
            tomorrow = row.announced_for == row.account.day_of(now) + ONE_DAY
            kind = NoticeKind.TOMORROW if tomorrow else NoticeKind.SOON
            told[row.announced_for, kind, "schedule" if row.scheduled_on else "deadline"].append(row.account_id)
    for (day, kind, cause), accounts in told.items():
        data = {"activates_on": day.isoformat(), "cause": cause}
        enqueue(accounts, kind, occasion=day.isoformat(), now=now, data=data)
