"""The answer to a request that met a lock that was not granted in time: nothing was saved, and how to try again.

It is a page with status 503 and Retry-After. What was posted is kept on it in a form that posts the same again, but for
passwords, codes and files.
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
    """Answers with the page where a view, or the template of its answer, met a lock that was not granted in time."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if not is_busy(exception):
            return None
        try:
            return _marked(_framed_page(request))
        except DatabaseError:  # what the frame of the page reads may be what is locked
            return bare_busy_page(request)


def bare_busy_page(request: HttpRequest) -> HttpResponse:
    """Return the page without anything that asks the database or the session."""
    page = render_to_string("busy_bare.html", {**_context(request), "brand": settings.BRAND_NAME})
    return _marked(HttpResponse(page))


def _framed_page(request: HttpRequest) -> HttpResponse:
    """Return the page as others of its kind look: the admin's own, an account's, or one outside of any account."""
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
