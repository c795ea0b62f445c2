"""What no view should have to think of: what browsers may do, maintenance, staff without a second factor, and
requests that no page of ours makes."""

from collections.abc import Callable
from typing import Any
from urllib.parse import unquote, urlencode

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.core.exceptions import PermissionDenied
from django.core.paginator import InvalidPage
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import gettext

from accounts.login.second_factor import passed_second_factor, where_to_pass
from config.denials import record_denial

# Unfold's pages compute in their markup (Alpine.js) and carry small styles and scripts in it.
UNFOLD_NEEDS = {
    "script-src": ["'self'", "'unsafe-inline'", "'unsafe-eval'"],
    "style-src": ["'self'", "'unsafe-inline'"],
    "img-src": ["'self'", "data:"],
}
SWITCHED_OFF = ("camera", "geolocation", "microphone", "payment", "usb", "browsing-topics")
PERMISSIONS = ", ".join(
    [
        *(f"{feature}=()" for feature in SWITCHED_OFF),
        *(f"publickey-credentials-{what}=(self)" for what in ("create", "get")),
    ]
)
# Asked by machines, which want to know about the process and not about the pages.
PROBES = {"/healthz", "/readyz"}
RETRY_AFTER_SECONDS = 300
MOST_WORDS_OF_MAINTENANCE = 500


def _is_admin(request: HttpRequest) -> bool:
    """Tell whether the address is one of the admin's, whatever path it is mounted at."""
    return request.resolver_match is not None and "admin" in request.resolver_match.app_names


class BrowserRules:
    """Says in each answer what the browser may do; the admin alone gets what Unfold needs of the strict policy.

    It stands after CSPMiddleware, which writes the policy when the answer comes by on its way out.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response.headers.setdefault("Permissions-Policy", PERMISSIONS)
        response.headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        if _is_admin(request):
            vars(response)["_csp_replace"] = UNFOLD_NEEDS
        return response


class Maintenance:
    """Answers every page with 503 while the file MAINTENANCE_FILE is there; what is in it is said to people.

    It asks nothing of the database, which may be what is being worked on.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        words = None if request.path.rstrip("/") in PROBES else self._words()
        if words is None:
            return self.get_response(request)
        page = render_to_string("503.html", {"words": words, "brand": settings.BRAND_NAME})
        return HttpResponse(page, status=503, headers={"Retry-After": str(RETRY_AFTER_SECONDS)})

    def _words(self) -> str | None:
        """Return what the file says to people, or None where there is no such file."""
        try:
            return settings.MAINTENANCE_FILE.read_text(errors="replace").strip()[:MOST_WORDS_OF_MAINTENANCE]
        except FileNotFoundError:
            return None


class StaffSecondFactor:
    """Leads staff who have not shown a second factor to where they do, before any address of the admin's answers."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> HttpResponse | None:
        user: Any = request.user if settings.STAFF_SECOND_FACTOR and _is_admin(request) else None
        if user is None or not user.is_staff or passed_second_factor(request):
            return None
        where = where_to_pass(user)
        if where is None:
            where = reverse("mfa_index")
            messages.warning(
                request, gettext("The back office opens with a second factor only. Set one up here, once.")
            )
        else:
            messages.info(request, gettext("The back office opens with your second factor only."))
        return redirect(f"{where}?{urlencode({REDIRECT_FIELD_NAME: _page_of(request)})}")


def _page_of(request: HttpRequest) -> str:
    """Return the page to come back to; a form that was posted is not sent again."""
    return request.get_full_path() if request.method in ("GET", "HEAD") else reverse("admin:index")


class RequestChecks:
    """Answers 400 to an address with a NUL, which PostgreSQL can't compare, and 404 to a page that can't be; records
    what the back office denies."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if "\0" in request.path or "\0" in unquote(request.META.get("QUERY_STRING", "")):
            return render(request, "400.html", status=400)
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> None:
        if isinstance(exception, InvalidPage):
            raise Http404("There is no such page.") from exception
        if isinstance(exception, PermissionDenied):
            record_denial(request, exception)
