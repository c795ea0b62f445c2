"""The action that adds what documents say about the provider, from a day on."""

from datetime import datetime

from django.core.exceptions import ValidationError
from django.db import transaction

from accounts.models import User
from accounts.saving import require_saver
from billing.documents.freezing import date_refusal
from billing.models import Issuer
from core.clock import database_now


@transaction.atomic
def save_issuer(issuer: Issuer, *, by: User, now: datetime | None = None) -> Issuer:
    """Save a new issuer and return it. Documents that were issued keep the one they name (R38).

    Raises PermissionDenied without the permission to add issuers. Raises ValidationError if a value is not valid, or if
    the issuer would start on a day that has ended everywhere, which only the first one may.
    """
    require_saver(issuer, by)
    issuer.added_by = by
    issuer.full_clean()
    if refusal := date_refusal(issuer.effective_from, now or database_now()):
        raise ValidationError({"effective_from": refusal})
    issuer.save(force_insert=True)
    return issuer
