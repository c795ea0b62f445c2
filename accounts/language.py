"""The language of a page.

A user who is logged in sees pages in their own language. Before that, a visitor sees the language they chose in this
browser, or the one their browser asks for. The back office is in English for everybody, because the team's notes and
records are in English.
"""

from collections.abc import Callable

from django.conf import settings
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import translation
from django.utils.cache import patch_vary_headers

from accounts.models import User
from accounts.models.user import Language
from core.history import attributed

OF_THE_BACK_OFFICE = Language.ENGLISH.value  # a plain str: WSGI servers reject a header value of another type
STORED = Language.ENGLISH.value  # the language of stored refusals, which the team reads, whoever was refused


class BrowserLanguage:
    """Activates the language that the browser asks for.

    It runs first, so that whatever answers before the user is known, like the maintenance page, is in the visitor's
    language and not in that of the last request of the process. It makes no query. `PageLanguage` activates the user's
    own language later.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        language = language_of_browser(request)
        translation.activate(language)
        response = self.get_response(request)
        if "Content-Language" not in response:  # something answered before `PageLanguage` did
            response.headers["Content-Language"] = language
            patch_vary_headers(response, ("Accept-Language", "Cookie"))
        return response


class PageLanguage:
    """Activates the language of the page, and names it in the `Content-Language` header."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        language = language_of(request)
        # Not only within a block: a streaming response is rendered while it is sent. Each request activates its own.
        translation.activate(language)
        vars(request)["LANGUAGE_CODE"] = language
        response = self.get_response(request)
        response.headers.setdefault("Content-Language", language)
        if not request.user.is_authenticated:
            patch_vary_headers(response, ("Accept-Language", "Cookie"))
        return response


def language_of(request: HttpRequest) -> str:
    """Return the code of the language that this request's page is in."""
    if request.path.startswith(reverse("admin:index")):
        return OF_THE_BACK_OFFICE
    if request.user.is_authenticated:
        return request.user.language
    return language_of_browser(request)


def language_of_browser(request: HttpRequest) -> str:
    """Return the code of the language that was chosen in this browser, or of the one that the browser asks for."""
    return translation.get_language_from_request(request).lower()  # a cookie may say EN


def choose_language(user: User, language: str) -> None:
    """Set the language of the user's pages and emails, and record it in their history.

    Raises ValueError if there is no such language.
    """
    user.language = Language(language)
    with transaction.atomic():  # the history row is a second statement
        attributed(user, to=user).save(update_fields=["language"])


def remember_language(response: HttpResponse, language: str) -> None:
    """Store the language in a cookie, for pages that are shown before login."""
    response.set_cookie(
        settings.LANGUAGE_COOKIE_NAME,
        language,
        max_age=settings.LANGUAGE_COOKIE_AGE,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )
