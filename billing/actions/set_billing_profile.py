"""The action that sets whom an account's documents are addressed to."""

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from accounts.acting import action
from accounts.models import Account, User
from accounts.roles import Capability, require
from billing.models import BillingProfile
from billing.models.parties import PROFILE_FIELDS
from core.refusals import AlreadyDone

PERMISSION = "billing.change_billingprofile"


@action
def set_billing_profile(
    account: Account, profile: BillingProfile, *, by: User, seen: int | None = None
) -> BillingProfile:
    """Save a new version of an account's billing profile and return it. It counts for documents issued from now on.

    Raises PermissionDenied unless the user may change it as a contact, or as staff. Raises ValidationError if a value
    is not valid; with the code `stale` if the version in force is not the one `seen` on the page (0: there was none).
    Raises AlreadyDone if nothing is different.
    """
    require(Capability.CHANGE_BILLING_PROFILE, by, account, or_permission=PERMISSION)
    current = BillingProfile.objects.of(account)
    version = current.version if current else 0
    profile.account, profile.version, profile.saved_by = account, version + 1, by
    profile.full_clean()
    if current and all(getattr(current, name) == getattr(profile, name) for name in PROFILE_FIELDS):
        raise AlreadyDone(_("Nothing was changed."), code="no_change")
    if seen is not None and seen != version:
        raise ValidationError(
            _(
                "Someone else changed the billing profile in the meantime. Save again to replace their changes with "
                "what is below."
            ),
            code="stale",
        )
    profile.save(force_insert=True)
    return profile
