"""What several onboarding actions refuse in the same way."""

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from accounts.models import Account
from onboarding.models import Onboarding


def not_installed_refusal(number: str) -> ValidationError:
    """Return the refusal of an action that needs Contact Center on an account that has none."""
    return ValidationError(
        _("Contact Center is not installed on account %(number)s."), code="not_installed", params={"number": number}
    )


def onboarding_of(account: Account) -> Onboarding:
    """Return the account's onboarding, with the account. Raises ValidationError if it has no Contact Center."""
    found = Onboarding.objects.select_related("account").filter(account=account).first()
    if found is None:
        raise not_installed_refusal(account.number)
    return found
