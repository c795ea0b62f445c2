"""What the onboarding mode allows (R3, R4). This is the only place with these rules; it makes no queries."""

from datetime import datetime
from zoneinfo import ZoneInfo

from django.core.exceptions import ValidationError
from django.utils.functional import lazy
from django.utils.translation import gettext, gettext_noop
from django.utils.translation import gettext_lazy as _

from core.dates import day_in_words
from onboarding.models import Onboarding

SEAT_LIMIT = 2
DEFAULT_PACKAGE = "Pay-per-use"
LOCKED = gettext_noop(
    "While your account is in onboarding, the toll-free package stays at %(package)s. "
    "Packages of 500 to 225,000 minutes can be chosen once the Onboarding team has activated the account."
)


def seat_limit(onboarding: Onboarding) -> int | None:
    """Return how many concurrent-user seats the account may hold, or None for any number."""
    return None if onboarding.is_active else SEAT_LIMIT


def package_is_locked(onboarding: Onboarding) -> bool:
    """Return whether the toll-free package must stay at the default."""
    return not onboarding.is_active


def is_free_until(onboarding: Onboarding, now: datetime) -> bool:
    """Return whether recurring items that were held only until `now` are free on that day.

    Items are charged from the moment of activation (billing-policy.md, 5), and in onboarding that has not come yet.
    """
    return onboarding.activated_at is None or now <= onboarding.activated_at


def why_package_is_locked() -> str:
    """Return the reason shown at the locked control and in the refusal."""
    return gettext(LOCKED) % {"package": DEFAULT_PACKAGE}


def seats_refusal(onboarding: Onboarding, seats: int) -> ValidationError | None:
    """Return the refusal of holding this many seats, or None if the account may hold them."""
    limit = seat_limit(onboarding)
    if limit is None or seats <= limit:
        return None
    return ValidationError(
        _(
            "While your account is in onboarding it can hold at most %(limit)s concurrent-user seats; you asked for "
            "%(tried)s. Ask the Onboarding team to go live to buy more."
        ),
        code="seat_limit",
        params={"limit": limit, "tried": seats},
    )


def package_refusal(onboarding: Onboarding, name: str, *, is_default: bool) -> ValidationError | None:
    """Return the refusal of the toll-free package called `name`, or None if it may be chosen."""
    if is_default or not package_is_locked(onboarding):
        return None
    return ValidationError(_(LOCKED), code="package_locked", params={"package": DEFAULT_PACKAGE, "tried": name})


def activation_refusal(onboarding: Onboarding) -> ValidationError | None:
    """Return the refusal of anything that an active account no longer allows, or None if it is in onboarding."""
    if not onboarding.is_active:
        return None
    assert onboarding.activated_at is not None
    return ValidationError(
        _("Account %(number)s is already active since %(since)s."),
        code="already_active",
        params={"number": onboarding.account.number, "since": _since(onboarding.activated_at, onboarding.account.zone)},
    )


def _since_in_words(moment: datetime, zone: ZoneInfo) -> str:
    there = moment.astimezone(zone)
    return gettext("%(day)s at %(time)s") % {"day": day_in_words(there.date()), "time": f"{there:%H:%M %Z}"}


_since = lazy(_since_in_words, str)  # the refusal is shown in one language and kept in another
