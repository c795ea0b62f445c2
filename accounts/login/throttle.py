"""How often a password may be wrong, so that nobody guesses it and nobody keeps its owner out.

Failures count for each IP address, for the email address and IP address together, and, with a higher limit, for the
email address from everywhere. A browser in which the same user has logged in before has a count of its own instead,
just as strict: strangers who fail for this address don't keep it out. It has a signed cookie, which names the user and
is void once their password changes. See docs/decisions/0018-who-counts-as-a-stranger-at-login.md.
"""

import secrets
from dataclasses import dataclass
from typing import Final

from allauth.core.internal.ratelimit import RateLimitUsage, clear, consume, get_ip
from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.utils.crypto import constant_time_compare

from accounts.login.keys import password_digest
from accounts.models import User

COOKIE: Final = "known"
SALT: Final = "accounts.login.known"
MOST_USERS: Final = 5  # who share a browser
COOKIE_AGE: Final = 365 * 24 * 3600
APP: Final = "allauth.account"
OF_IP: Final = "10/m/ip"
OF_PAIR: Final = "5/5m/key"
OF_ADDRESS: Final = "50/5m/key"
OF_BROWSER: Final = "5/5m/key"
MOST_LINKS: Final = 10


@dataclass(frozen=True)
class Known:
    """What the cookie has about a user: primary key, the browser's random name, and a digest of the password."""

    user: int
    browser: str
    password: str

    def is_of(self, user: User) -> bool:
        return self.user == user.pk and constant_time_compare(self.password, password_digest(user))


def count_attempt(request: HttpRequest, address: str) -> RateLimitUsage | None:
    """Count an attempt to log in with this email address, to be rolled back if it succeeds.

    Returns None if there were too many failures, and then the password must not be looked at.
    """
    usage = RateLimitUsage(usage=[])
    for action, rate, key in _limits(request, address.lower()):
        counted = consume(request, app=APP, action=action, config={action: rate}, key=key)
        if counted is None:
            return None
        usage.usage += counted.usage
    return usage


def count_link(request: HttpRequest, user: User) -> bool:
    """Count a link for a new password, and return whether the user may get it: MOST_LINKS an hour."""
    return (
        consume(request, app=APP, action="link", config={"link": f"{MOST_LINKS}/h/key"}, key=str(user.pk)) is not None
    )


def forget_failures(request: HttpRequest, address: str) -> None:
    """Let the user log in at once with the password they have just reset by the link in their email."""
    for action, rate, key in _limits(request, address.lower()):
        if key is not None:
            clear(request, app=APP, action=action, config={action: rate}, key=key)


def _limits(request: HttpRequest, address: str) -> list[tuple[str, str, str | None]]:
    """Return what counts for an attempt: the name of each count, its limit, and its key, or None for the IP address."""
    user = User.objects.filter(email=address).first()
    known = user and next((each for each in _known(request) if each.is_of(user)), None)
    if known:
        return [("login_known", OF_BROWSER, f"{known.user} {known.browser}")]
    return [
        ("login_ip", OF_IP, None),
        ("login_pair", OF_PAIR, f"{address} {get_ip(request)}"),
        ("login_address", OF_ADDRESS, address),
    ]


def remember_browser(request: HttpRequest, response: HttpResponse, user: User) -> None:
    """Set the cookie in which a browser names the user who has just logged in, and up to four others before."""
    before = _known(request)
    others = [each for each in before if each.user != user.pk]
    browser = next((each.browser for each in before if each.is_of(user)), secrets.token_urlsafe(12))
    known = [Known(user.pk, browser, password_digest(user)), *others][:MOST_USERS]
    response.set_cookie(
        COOKIE,
        signing.dumps([[each.user, each.browser, each.password] for each in known], salt=SALT),
        max_age=COOKIE_AGE,
        path="/login/",
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )


def _known(request: HttpRequest) -> list[Known]:
    """Return what the cookie says; nothing if there is none, or if it isn't ours."""
    try:
        return [Known(*each) for each in signing.loads(request.COOKIES.get(COOKIE, ""), salt=SALT, max_age=COOKIE_AGE)]
    except signing.BadSignature:
        return []
