"""What no view should have to think of: requests that no page of ours makes."""

from collections.abc import Callable
from urllib.parse import unquote

from django.core.exceptions import PermissionDenied
from django.core.paginator import InvalidPage
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from config.denials import record_denial


class CarefulRequests:
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
