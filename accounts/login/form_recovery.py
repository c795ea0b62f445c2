"""Recovers what somebody typed into a form after their session has ended.

A session can end while a form is being filled: it expires, or the user logs out in another tab or on another device.
What they post then is kept, signed, for half an hour in the session of their next login, and put back into the form of
the page they were on, for them to review and submit. It is never submitted automatically. Nobody else gets to see it: a
signed cookie names the user who logged in last with this browser. Passwords, codes and files are never kept.
"""

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import REDIRECT_FIELD_NAME, SESSION_KEY
from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import REASON_NO_CSRF_COOKIE
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.login.form_filler import fill, put_in_main

KEPT = "kept_form"
SALT = "accounts.kept_forms"  # of cookies that browsers have: it stays
SECONDS = 30 * 60
MOST_CHARACTERS = 64_000
# The user who logged in last with this browser. It must outlive their session, to know whom the values belong to.
WHO = "last_visitor"
WHO_SECONDS = 30 * 24 * 3600
SECRET = re.compile(r"passw|secret|credential|token|\bcode\b", re.IGNORECASE)

FOUND_AGAIN = _(
    "You were logged out in the meantime, so nothing was changed. Log in again: you find what you typed in its form."
)


class FormRecovery:
    """Keeps what is posted without a session, and restores it in the form after the user has logged in."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if request.method == "POST" and _asks_to_log_in(request, response):
            page = page_of(request)
            if keep(request, page):
                messages.info(request, FOUND_AGAIN)
            response = redirect(f"{response['Location'].partition('?')[0]}?{urlencode({REDIRECT_FIELD_NAME: page})}")
        elif request.method == "GET":
            put_back(request, response)
        _remember_visitor(request, response)
        return response


def _is_login(path: str) -> bool:
    return path.startswith((reverse("account_login"), reverse("account_logout")))


def _asks_to_log_in(request: HttpRequest, response: HttpResponse) -> bool:
    if response.status_code != 302 or request.user.is_authenticated or _is_login(request.path):
        return False
    return urlsplit(response["Location"]).path in (reverse("account_login"), reverse("admin:login"))


def page_of(request: HttpRequest) -> str:
    """Return the page that a form was posted from, as a path with its query.

    That is the referrer if it is on this host and not a login page, and otherwise the address that was posted to.
    """
    referer = request.headers.get("Referer", "")
    if not url_has_allowed_host_and_scheme(referer, {request.get_host()}, require_https=request.is_secure()):
        return request.get_full_path()
    parts = urlsplit(referer)  # which it can't do with every text
    if not parts.netloc or _is_login(parts.path):
        return request.get_full_path()
    return f"{parts.path}?{parts.query}" if parts.query else parts.path


def keep(request: HttpRequest, page: str) -> bool:
    """Keep what was posted for the user who logged in last with this browser, and return whether it was kept.

    It isn't if that user is unknown, or too much was posted.
    """
    who = request.get_signed_cookie(WHO, default=None, salt=SALT, max_age=WHO_SECONDS)
    typed = {name: values for name, values in request.POST.lists() if not SECRET.search(name)}
    if who is None or sum(len(name) + sum(map(len, values)) for name, values in typed.items()) > MOST_CHARACTERS:
        return False
    kept = {"who": who, "page": page, "to": request.path, "typed": typed, "files": bool(request.FILES)}
    request.session[KEPT] = signing.dumps(kept, salt=SALT, compress=True)
    return True


def put_back(request: HttpRequest, response: HttpResponse) -> None:
    """Fill the form on the page, once, with what is kept for the user; discard what is kept for somebody else."""
    if KEPT not in request.session or not request.user.is_authenticated:
        return
    try:
        kept: dict[str, Any] = signing.loads(request.session[KEPT], salt=SALT, max_age=SECONDS)
    except signing.BadSignature:
        kept = {}
    if kept.get("who") != request.session[SESSION_KEY]:
        del request.session[KEPT]
    elif kept["page"] in (request.path, request.get_full_path()) and _is_page(response):
        del request.session[KEPT]
        text = response.content.decode(response.charset)
        context = {**kept, "admin": "admin" in request.resolver_match.app_names if request.resolver_match else False}
        filled = fill(
            text,
            at=request.path,
            posted_to=kept["to"],
            typed=kept["typed"],
            note=render_to_string("components/recovered_form.html", {**context, "in_form": True}),
        )
        response.content = filled or put_in_main(text, render_to_string("components/recovered_form.html", context))
        response["Cache-Control"] = "no-store"


def _is_page(response: HttpResponse) -> bool:
    return (
        response.status_code == 200 and not response.streaming and response.headers["Content-Type"][:9] == "text/html"
    )


def _remember_visitor(request: HttpRequest, response: HttpResponse) -> None:
    """Name the user in the cookie if it doesn't, and if the request has read the session anyway (no extra query)."""
    who = request.session.get(SESSION_KEY) if request.session.accessed else None
    if who and request.get_signed_cookie(WHO, default=None, salt=SALT, max_age=WHO_SECONDS) != who:
        response.set_signed_cookie(
            WHO,
            who,
            salt=SALT,
            max_age=WHO_SECONDS,
            httponly=True,
            secure=settings.SESSION_COOKIE_SECURE,
            samesite="Lax",
        )


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Answer a form whose CSRF token is too old, as after a login in another tab, by showing it again as it was typed.

    Only if the browser says that one of our own pages sent the form, so that another site can't fill our forms with
    values that it made up.
    """
    if not _is_ours(request) or reason == REASON_NO_CSRF_COOKIE:
        return render(request, "403_csrf.html", {"no_cookie": reason == REASON_NO_CSRF_COOKIE}, status=403)
    if _is_login(request.path):
        if request.user.is_authenticated and request.path == reverse("account_login"):
            following = request.POST.get(REDIRECT_FIELD_NAME, "")
            safe = url_has_allowed_host_and_scheme(following, {request.get_host()}, require_https=request.is_secure())
            return redirect(following if safe else settings.LOGIN_REDIRECT_URL)
        messages.warning(request, gettext("That page was too old, so nothing was changed. Please try once more."))
        return redirect(request.get_full_path())
    page = page_of(request)
    if not keep(request, page):
        return render(request, "403_csrf.html", status=403)
    if not request.user.is_authenticated:
        messages.info(request, FOUND_AGAIN)
    return redirect(page)


def _is_ours(request: HttpRequest) -> bool:
    """Return whether a page of this site sent the form, according to headers that no page can forge."""
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site == "same-origin"
    return request.headers.get("Origin") == f"{request.scheme}://{request.get_host()}"
