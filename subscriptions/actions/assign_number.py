"""The action that assigns a phone number to an account's Contact Center (R5: without limit, in either mode)."""

from datetime import datetime

from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.utils.translation import gettext

from accounts.acting import action
from accounts.models import Account, NumberAssignment, PhoneNumber, User
from accounts.roles import Capability, require
from core.clock import database_now
from core.refusals import AlreadyDone
from subscriptions.catalogue import contact_center_of
from subscriptions.numbers import MAY_CHANGE_NUMBERS, current_assignment


@action
def assign_number(account: Account, number: PhoneNumber, *, by: User, now: datetime | None = None) -> NumberAssignment:
    """Assign a number to the account's Contact Center from now on, and return the assignment.

    Raises ValidationError for a number of another account, and AlreadyDone if the number is assigned already.
    """
    require(Capability.CHANGE_SERVICES, by, account, or_permission=MAY_CHANGE_NUMBERS)
    contact_center_of(account)
    current = current_assignment(account, number)
    if current:
        raise AlreadyDone(
            gettext("%(number)s is already assigned to Contact Center.") % {"number": number}, code="already_assigned"
        )
    return NumberAssignment.objects.create(
        account=account, number=number, period=DateTimeTZRange(now or database_now(), None), assigned_by=by
    )
