"""The action that sends an issued document by email again."""

from datetime import datetime

from django.core.exceptions import ValidationError

from accounts.acting import action
from accounts.models import Account, User
from accounts.roles import require_staff
from billing.deliveries.enqueue import enqueue_again
from billing.models import CreditNote, Invoice
from core.clock import database_now
from core.refusals import AlreadyDone

PERMISSION = "billing.send_document"


@action
def send_document_again(
    account: Account,
    document: Invoice | CreditNote,
    *,
    by: User,
    seen: int | None = None,
    now: datetime | None = None,
) -> int:
    """Queue an invoice or credit note of the account again, for those who would get it now, and return how many emails.

    Raises PermissionDenied unless the user is staff with the permission. Raises AlreadyDone if it was sent again since
    the page that showed `seen` emails. Raises ValidationError if nobody would get it.
    """
    require_staff(by, PERMISSION, "Only the Billing team can send documents again.")
    invoice = document if isinstance(document, Invoice) else document.invoice
    assert invoice.account_id == account.pk
    if seen is not None and document.deliveries.count() != seen:
        raise AlreadyDone(f"{document.title} was just sent again.", code="sent_again")
    queued = enqueue_again(document, by=by, now=now or database_now())
    if not queued:
        raise ValidationError(
            "Nobody would get it: the account has no active owner or billing manager, and its billing profile has no "
            "invoice email.",
            code="no_recipient",
        )
    return queued
