"""What the actions on phone numbers share."""

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from accounts.models import Account, NumberAssignment, PhoneNumber

MAY_CHANGE_NUMBERS = "accounts.change_phonenumber"


def current_assignment(account: Account, number: PhoneNumber) -> NumberAssignment | None:
    """Return the number's current assignment, or None. Raises ValidationError if the number isn't the account's."""
    if not PhoneNumber.objects.filter(pk=number.pk, account=account).exists():
        raise ValidationError(
            _("This number is not one of your account's."), code="unknown_number", params={"tried": number}
        )
    return NumberAssignment.objects.current().filter(number=number).first()
