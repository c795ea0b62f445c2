"""The page for a request that waited too long for a lock: it says that nothing was saved, and offers to try again.

Its status is 503, with Retry-After. What was posted, except passwords, codes and files, is kept in a form on the page
that posts it again.
"""

import re
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib import admin
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import get_token
from django.shortcuts import render
from django.template.loader import render_to_string

from accounts.login.form_recovery import page_of
from accounts.pages import render_page
from core.busy import is_busy

RETRY_AFTER_SECONDS = 5
NEVER_KEPT = re.compile(r"passw|secret|credential|csrfmiddlewaretoken|\bcode\b", re.IGNORECASE)


class BusyPages:
    """Answers with the page if a lock was not granted in time to a view, or to the template of its response."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if not is_busy(exception):
            return None
        try:
            return _marked(_framed_page(request))
        except DatabaseError:  # the lock may be on something that the frame of the page reads
            return bare_busy_page(request)


def bare_busy_page(request: HttpRequest) -> HttpResponse:
    """Return a page that uses neither the database nor the session."""
    page = render_to_string("busy_bare.html", {**_context(request), "brand": settings.BRAND_NAME})
    return _marked(HttpResponse(page))


def _framed_page(request: HttpRequest) -> HttpResponse:
    """Return the page in the frame that fits the request: the admin's, an account's, or that of other pages."""
    context = _context(request)
    if request.resolver_match and "admin" in request.resolver_match.app_names:
        title = {"title": "Try again in a moment"}
        return render(request, "admin/busy.html", {**admin.site.each_context(request), **title, **context})
    if hasattr(request, "account") and hasattr(request, "capabilities"):
        return render_page(request, "busy.html", context)  # type: ignore[arg-type]
    return render(request, "busy.html", context)


def _context(request: HttpRequest) -> dict[str, Any]:
    kept, left_out = [], False
    for name, values in request.POST.lists():
        if not NEVER_KEPT.search(name):
            kept += [(name, value) for value in values]
        elif name != "csrfmiddlewaretoken":
            left_out = True
    return {
        "posted": request.method == "POST",
        "kept": kept,
        "secrets": left_out,
        "files": bool(request.FILES),
        "address": request.get_full_path(),
        "form_page": page_of(request),
        "csrf_token": get_token(request),
    }


def _marked(response: HttpResponse) -> HttpResponse:
    response.status_code = 503
    response["Retry-After"] = str(RETRY_AFTER_SECONDS)
    response["Cache-Control"] = "no-store"
    return response
