"""The language of a page: the person's own once he is logged in; before, the one his browser asks for or he chose.

The back office is in English whoever looks: what the team writes to each other is, and so are its records.
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

OF_THE_BACK_OFFICE = Language.ENGLISH.value  # plain text: servers refuse a header that is not
STORED = Language.ENGLISH.value  # what is recorded: the team reads it, whoever was refused


class BrowserLanguage:
    """Makes the language the browser asks for the active one, before anything answers.

    What answers before the visitor is known, like maintenance, would else speak as the last page of its process did. It
    asks nothing of the database. `PageLanguage` follows, once the visitor is known.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        language = language_of_browser(request)
        translation.activate(language)
        response = self.get_response(request)
        if "Content-Language" not in response:  # `PageLanguage` was not reached, or could not tell
            response.headers["Content-Language"] = language
            patch_vary_headers(response, ("Accept-Language", "Cookie"))
        return response


class PageLanguage:
    """Makes the page's language the active one, and says in the answer which it is."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        language = language_of(request)
        # Not for this block alone: an answer may be written while it is sent, and each request sets it anew.
        translation.activate(language)
        vars(request)["LANGUAGE_CODE"] = language
        response = self.get_response(request)
        response.headers.setdefault("Content-Language", language)
        if not request.user.is_authenticated:
            patch_vary_headers(response, ("Accept-Language", "Cookie"))
        return response


def language_of(request: HttpRequest) -> str:
    """Return the code of the language in which the visitor's page is."""
    if request.path.startswith(reverse("admin:index")):
        return OF_THE_BACK_OFFICE
    if request.user.is_authenticated:
        return request.user.language
    return language_of_browser(request)


def language_of_browser(request: HttpRequest) -> str:
    """Return the code of the language that was chosen in the browser, or else the one it asks for."""
    return translation.get_language_from_request(request).lower()  # a cookie may say EN


def choose_language(user: User, language: str) -> None:
    """Let pages and e-mail be in this language for the user, from now on; his history says so."""
    user.language = Language(language)
    with transaction.atomic():  # its history row is written after it, and neither stays without the other
        attributed(user, to=user).save(update_fields=["language"])


def remember_language(response: HttpResponse, language: str) -> None:
    """Keep the language in the browser, for pages before log-in."""
    response.set_cookie(
        settings.LANGUAGE_COOKIE_NAME,
        language,
        max_age=settings.LANGUAGE_COOKIE_AGE,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )
