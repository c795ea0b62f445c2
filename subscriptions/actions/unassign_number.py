"""The action that ends a phone number's assignment."""

from datetime import datetime

from django.core.exceptions import ValidationError
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.acting import action
from accounts.models import Account, NumberAssignment, PhoneNumber, User
from accounts.roles import Capability, require
from core.clock import database_now
from core.refusals import AlreadyDone
from subscriptions.numbers import MAY_CHANGE_NUMBERS, current_assignment


@action
def unassign_number(
    account: Account, number: PhoneNumber, *, by: User, now: datetime | None = None
) -> NumberAssignment:
    """End the number's assignment now, and return it.

    Raises ValidationError for a number of another account, and AlreadyDone if the number is not assigned.
    """
    require(Capability.CHANGE_SERVICES, by, account, or_permission=MAY_CHANGE_NUMBERS)
    current = current_assignment(account, number)
    if current is None:
        raise AlreadyDone(
            gettext("%(number)s is not assigned to Contact Center.") % {"number": number}, code="not_assigned"
        )
    now = now or database_now()
    if now <= current.period.lower:
        raise ValidationError(_("The assignment can't end before it starts."), code="out_of_order")
    current.period = DateTimeTZRange(current.period.lower, now)
    current.ended_by = by
    current.save(update_fields=["period", "ended_by"])
    return current
