"""The banner that every page of an account in onboarding shows (R2)."""

from typing import Any

from django import template

from accounts.models import Account
from core.clock import database_now
from onboarding import rules
from onboarding.models import Onboarding

register = template.Library()


@register.inclusion_tag("components/banner.html")
def onboarding_banner(account: Account | None) -> dict[str, Any]:
    """Show the banner where the account is in onboarding, and nothing where it is not."""
    mode = mode_of(account)
    return {
        "account": account,
        "shown": mode is not None and not mode.is_active,
        "seat_limit": rules.SEAT_LIMIT,
        "package": rules.DEFAULT_PACKAGE,
    }


@register.inclusion_tag("components/goes_live_on.html")
def goes_live_on(account: Account | None) -> dict[str, Any]:
    """Say on which day the account becomes active by itself, and nothing where none is scheduled or announced."""
    mode = mode_of(account)
    day = mode.goes_live_on if mode else None
    # Only then is the clock asked: a blackout date, or a full night, may have put it off.
    has_passed = account is not None and day is not None and day < account.day_of(database_now())
    return {"day": day, "has_passed": has_passed}


@register.simple_tag
def mode_of(account: Account | None) -> Onboarding | None:
    """Return the account's mode, or None without Contact Center."""
    return getattr(account, "onboarding", None)
