"""Refusals that several onboarding actions share."""

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _


def not_installed_refusal(number: str) -> ValidationError:
    """Return the refusal of an action that needs Contact Center on an account that has none."""
    return ValidationError(
        _("Contact Center is not installed on account %(number)s."), code="not_installed", params={"number": number}
    )
