"""What no view should need to care about: browser policies, maintenance, the second factor of staff, and requests that
none of our pages makes."""

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

# Unfold's pages have expressions (Alpine.js), inline styles and inline scripts in their markup.
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
# Requested by machines that check the process, and not the pages.
PROBES = {"/healthz", "/readyz"}
RETRY_AFTER_SECONDS = 300
MOST_WORDS_OF_MAINTENANCE = 500


def _is_admin(request: HttpRequest) -> bool:
    """Return whether the URL belongs to the admin, whatever path it is mounted at."""
    return request.resolver_match is not None and "admin" in request.resolver_match.app_names


class BrowserRules:
    """Sets the headers that say what the browser may do and keep. Only the admin gets the exceptions that Unfold needs.

    What is answered to a browser with a session may be somebody's own, so neither it nor a proxy keeps it.

    It must come after CSPMiddleware, which writes the policy header when the response passes on its way out.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response.headers.setdefault("Permissions-Policy", PERMISSIONS)
        response.headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        if settings.SESSION_COOKIE_NAME in request.COOKIES or settings.SESSION_COOKIE_NAME in response.cookies:
            response.headers["Cache-Control"] = "private, no-store"
        if _is_admin(request):
            vars(response)["_csp_replace"] = UNFOLD_NEEDS
        return response


class Maintenance:
    """Answers every page with 503, and the text of MAINTENANCE_FILE, while that file exists.

    It doesn't use the database, which may be down for the maintenance.
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
        """Return the text of the file, empty if it can't be read (as a folder), or None if there is no such file."""
        try:
            words: str = settings.MAINTENANCE_FILE.read_text(errors="replace")
        except FileNotFoundError:
            return None
        except OSError:
            return ""
        return words.strip()[:MOST_WORDS_OF_MAINTENANCE]


class StaffSecondFactor:
    """Redirects staff who haven't passed a second factor from every admin page to the page where they can."""

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
    """Return the page to come back to. For a POST that is the admin's start page, since a form isn't posted again."""
    return request.get_full_path() if request.method in ("GET", "HEAD") else reverse("admin:index")


class RequestChecks:
    """Answers 400 if the URL has a NUL, which PostgreSQL can't store, and 404 for a page number that doesn't exist.

    It also records what the back office denies.
    """

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
