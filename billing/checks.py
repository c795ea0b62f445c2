"""The system checks that warn of unbilled months (R42) and of a missing issuer (R38).

They never return errors, which would take a site down.
"""

from collections.abc import Sequence
from typing import Any

from django.core.checks import CheckMessage, Warning

from billing.journal import NAMES, unknown_names
from billing.models import BillOnHold, Issuer, UnbilledMonth
from core.checks import is_migrated
from core.clock import database_now
from subscriptions.models import ItemKind


def check_months(app_configs: Any = None, databases: Sequence[str] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """Return a warning for each month with unbilled accounts, as last counted, and one for rejected bills, if any."""
    messages: list[CheckMessage] = []
    for alias in databases or []:
        if not is_migrated(alias, UnbilledMonth):
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


def check_issuer(app_configs: Any = None, databases: Sequence[str] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """Return a warning if no issuer is in force today, since no invoice can be issued then."""
    messages: list[CheckMessage] = []
    for alias in databases or []:
        if not is_migrated(alias, Issuer):
            continue
        if Issuer.objects.using(alias).in_force(database_now().date()) is None:
            hint = "Enter your company's name, address and payment terms in the back office, under Billing › Issuers."
            messages.append(Warning("No invoice can be issued: there is no issuer.", hint=hint, id="billing.W004"))
    return messages


def check_journal(app_configs: Any = None, **kwargs: Any) -> list[CheckMessage]:
    """Return a warning if JOURNAL_ACCOUNTS has an unknown name, such as a typo."""
    if unknown := unknown_names():
        hint = f"The names are {', '.join([*NAMES, *ItemKind.values])}."
        return [Warning(f"JOURNAL_ACCOUNTS has unknown names: {', '.join(unknown)}.", hint=hint, id="billing.W005")]
    return []
