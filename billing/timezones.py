"""Whether the time zone of an account can still be corrected (billing policy 15)."""

from django.core.exceptions import ValidationError

from accounts.models import Account
from billing.models import Invoice

PERMISSION = "accounts.correct_timezone"


def timezone_refusal(account: Account) -> ValidationError | None:
    """Return the refusal if the account's time zone can no longer be corrected, otherwise None. One query."""
    first = Invoice.objects.filter(account=account).order_by("number").first()
    if first is None:
        return None
    return ValidationError(
        "The time zone is fixed: %(invoice)s was issued by its days and months.",
        code="timezone_fixed",
        params={"invoice": first.title},
    )
