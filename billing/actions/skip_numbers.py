"""The action that leaves numbers of invoices or credit notes out, as for those that an earlier system gave."""

from django.core.exceptions import ValidationError
from django.db import transaction

from accounts.models import User
from accounts.roles import require_staff
from billing.models import Counter, NumberGap


@transaction.atomic
def skip_numbers(of: NumberGap.Of, *, until: int, why: str, by: User) -> NumberGap:
    """Let the next number of this kind of document be the one after `until`, and return the recorded gap (I9).

    Must be called as the owner of the tables. Raises PermissionDenied without the permission to skip numbers, and
    ValidationError if the number was given already, or without a reason.
    """
    require_staff(by, "billing.skip_numbers", "Only an administrator can leave numbers out.")
    if not why.strip():
        raise ValidationError("Say why the numbers are left out.", code="reason_missing")
    Counter.objects.get_or_create(pk=1)
    counter = Counter.objects.select_for_update().get()
    last: int = getattr(counter, of.value)
    if until <= last:
        raise ValidationError(
            "The last number given is %(last)s, so %(until)s can't be left out.",
            code="number_given",
            params={"last": last, "until": until},
        )
    gap = NumberGap(of=of, first=last + 1, last=until, why=why.strip(), by=by)
    gap.full_clean()
    gap.save()
    setattr(counter, of.value, until)
    counter.save()
    return gap
