"""The system check that warns of unbilled months (R42). It never returns errors, which would take a site down."""

from collections.abc import Sequence
from typing import Any

from django.core.checks import CheckMessage, Warning
from django.db import connections

from billing.models import BillOnHold, UnbilledMonth


def check_months(app_configs: Any = None, databases: Sequence[str] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """Return a warning for each month with unbilled accounts, as last counted, and one for rejected bills, if any."""
    messages: list[CheckMessage] = []
    for alias in databases or []:
        if not _is_migrated(alias):
            continue
        for month in UnbilledMonth.objects.using(alias):
            words = (
                f"{month} was not billed for {month.accounts:,} accounts, as counted at {month.counted_at:%F %R} UTC."
            )
            hint = f"`manage.py check_billing --month {month.month:%Y-%m}` names them, and `bill_run` bills them."
            messages.append(Warning(words, hint=hint, id="billing.W001"))
        if rejected := BillOnHold.objects.using(alias).rejected_and_unbilled().count():
            hint = "Correct what they are computed from, or run their months again: *Bills on hold* in the back office."
            messages.append(
                Warning(f"{rejected:,} bills were rejected and not billed since.", hint=hint, id="billing.W002")
            )
    return messages


def _is_migrated(alias: str) -> bool:
    """Return whether the tables that this check reads exist: `migrate` runs the check before it makes them."""
    connections[alias].ensure_connection()  # if the server can't be reached, this raises the error that says so
    with connections[alias].cursor() as cursor:
        cursor.execute("SELECT to_regclass('billing_unbilledmonth') IS NOT NULL")
        is_there: bool = cursor.fetchone()[0]
        return is_there
