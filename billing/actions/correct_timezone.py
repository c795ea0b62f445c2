"""The verb that corrects an account's time zone (billing policy 15)."""

from django.core.exceptions import PermissionDenied, ValidationError

from accounts.actions import AlreadyDone, action, database_now
from accounts.history import credit
from accounts.models import Account, User
from billing.models import Invoice

PERMISSION = "accounts.correct_timezone"
LONGEST_REASON = 100  # of a history row


@action
def correct_timezone(account: Account, *, timezone: str, reason: str, by: User) -> Account:
    """Put an account with Contact Center into another time zone, and return it.

    Days that were decided stay as they are: those of purchases, of the activation, and of calls. From now on days and
    months are those of the new zone. For administrators (PermissionDenied). Refused without a reason, for a zone that
    can't be chosen, and once an invoice was issued. The zone that the account has answers AlreadyDone.
    """
    current = User.objects.filter(pk=by.pk, is_active=True, is_staff=True).first()
    if current is None or not current.has_perm(PERMISSION):
        raise PermissionDenied("Only an administrator can correct an account's time zone.")
    if account.timezone == timezone:
        raise AlreadyDone(f"The account is in the time zone {timezone} already.", code="same_timezone")
    if refusal := timezone_refusal(account):
        raise refusal
    if not reason.strip():
        raise ValidationError({"reason": ValidationError("Enter a reason.", code="reason_missing")})
    account.timezone = timezone
    account.full_clean()
    vars(account)["_change_reason"] = f"Time zone corrected: {reason.strip()}"[:LONGEST_REASON]
    credit(account, by, database_now()).save()
    return account


def timezone_refusal(account: Account) -> ValidationError | None:
    """Return why the account's time zone can't be corrected any more, or None. One query."""
    first = Invoice.objects.filter(account=account).order_by("number").first()
    if first is None:
        return None
    return ValidationError(
        "The time zone is fixed: %(invoice)s was issued by its days and months.",
        code="timezone_fixed",
        params={"invoice": first.title},
    )
