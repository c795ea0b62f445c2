"""The error pages that need more than a template."""

import math
import sys
import time
from collections.abc import Callable

from allauth.core.internal.ratelimit import Rate, get_cache_key, get_rates
from django.conf import settings
from django.core.cache import cache
from django.core.exceptions import BadRequest, SuspiciousOperation
from django.http import HttpRequest, HttpResponse
from django.http.multipartparser import MultiPartParserError
from django.shortcuts import render
from django.template.loader import render_to_string
from django.views import defaults

from config.busy import bare_busy_page
from core.busy import is_busy

# The key in ACCOUNT_RATE_LIMITS that applies to each page, by the name of its URL.
LIMITED = {
    "account_login": "login",
    "account_reauthenticate": "reauthenticate",
    "mfa_reauthenticate": "reauthenticate",
    "mfa_reauthenticate_webauthn": "reauthenticate",
    "account_change_password": "change_password",
    "account_reset_password": "reset_password",
    "account_reset_password_from_key": "reset_password_from_key",
    "account_signup": "signup",
    "change_address": "manage_email",
}
A_MINUTE = 60


def too_many_requests(request: HttpRequest) -> HttpResponse:
    """Answer 429 to a visitor who tried too often, and say when they may try again."""
    seconds = seconds_to_wait(request)
    context = {"seconds": seconds, "minutes": math.ceil(seconds / 60)}
    response = render(request, "429.html", context, status=429)
    response["Retry-After"] = str(seconds)
    return response


def seconds_to_wait(request: HttpRequest) -> int:
    """Return in how many seconds the visitor may try again, according to the limit that stopped them, or 60."""
    action = LIMITED.get(request.resolver_match.url_name or "") if request.resolver_match else None
    rates = get_rates(app="allauth.account", action=action) if action else []
    return max((_seconds(request, action, rate) for rate in rates), default=0) or A_MINUTE


def _seconds(request: HttpRequest, action: str | None, rate: Rate) -> int:
    """Return for how many more seconds this limit stops the visitor; 0 if it doesn't."""
    if rate.per == "user" and not request.user.is_authenticated:
        return 0
    tries = cache.get(get_cache_key(request, app="allauth.account", action=action or "", rate=rate), [])
    if len(tries) < rate.amount:
        return 0
    until: float = tries[-1] + rate.duration
    return max(1, math.ceil(until - time.time()))


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer 400 to what can't be read."""
    return _in_spite_of_the_body(defaults.bad_request, request, exception)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer 404 to a request for a page that isn't there, or isn't the visitor's."""
    return _in_spite_of_the_body(defaults.page_not_found, request, exception)


def _in_spite_of_the_body(
    page: Callable[[HttpRequest, Exception], HttpResponse], request: HttpRequest, exception: Exception
) -> HttpResponse:
    """Return the page of an error, which looks for a token in what was posted, even if that can't be read."""
    try:
        return page(request, exception)
    except (BadRequest, MultiPartParserError, SuspiciousOperation):
        request._mark_post_parse_error()  # type: ignore[attr-defined] # from now on, it has no fields
        return page(request, exception)


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer 500, using neither the database nor the session, since those may be what failed.

    If the error is only a lock that was not granted in time, even before any view was called, answer with the page for
    that.
    """
    if is_busy(sys.exc_info()[1]):
        return bare_busy_page(request)
    return HttpResponse(render_to_string("500.html", {"brand": settings.BRAND_NAME}), status=500)
