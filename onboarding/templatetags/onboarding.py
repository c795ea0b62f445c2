"""The banner on every page of an account in onboarding (R2), and other template tags about the mode."""

from typing import Any

from django import template

from accounts.models import Account
from core.clock import database_now
from onboarding import rules
from onboarding.models import Onboarding

register = template.Library()


@register.inclusion_tag("components/banner.html")
def onboarding_banner(account: Account | None) -> dict[str, Any]:
    """Show the banner if the account is in onboarding, and nothing otherwise."""
    mode = mode_of(account)
    return {
        "account": account,
        "shown": mode is not None and not mode.is_active,
        "seat_limit": rules.SEAT_LIMIT,
        "package": rules.DEFAULT_PACKAGE,
    }


@register.inclusion_tag("components/goes_live_on.html")
def goes_live_on(account: Account | None) -> dict[str, Any]:
    """Show the day of the account's automatic activation, or nothing if none is scheduled or announced."""
    mode = mode_of(account)
    day = mode.goes_live_on if mode else None
    # The day may have passed, because a blackout date or the limit of a night put the activation off. The clock is read
    # only if there is a day, to save a query.
    has_passed = account is not None and day is not None and day < account.day_of(database_now())
    return {"day": day, "has_passed": has_passed}


@register.simple_tag
def mode_of(account: Account | None) -> Onboarding | None:
    """Return the account's mode, or None without Contact Center."""
    return getattr(account, "onboarding", None)
