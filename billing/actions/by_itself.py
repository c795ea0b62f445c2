"""The bill run that nobody starts: when the setting says so, once a month has ended everywhere."""

from datetime import datetime, timedelta

from django.conf import settings
from django.core.exceptions import ValidationError

from billing.actions.run_bills import Summary, last_ended_month, run_bills
from billing.models import BillRun
from billing.run import unbilled

NEXT_DAY = timedelta(hours=20)  # less than a day, or each day's run would be a little later than the last


def run_bills_by_itself(*, now: datetime) -> Summary | None:
    """Bill the last month that has ended everywhere, and return what was done; None where there was nothing to do.

    It looks at what is billed, so it can be called at any time and as often as one likes. What a killed run left is
    done by the next call, and accounts that could not be billed are tried again a day later. Like every run it is
    recorded with no name, since nobody decides in it.
    """
    month = last_ended_month(now)
    if not settings.BILL_RUN_BY_ITSELF or next(unbilled(month), None) is None:
        return None
    latest = BillRun.objects.filter(month=month, finished_at__isnull=False).first()
    if latest and latest.failed and latest.started_at > now - NEXT_DAY:
        return None
    try:
        return run_bills(month, now=now)
    except ValidationError as refusal:
        if refusal.code != "run_going_on":
            raise
        return None
