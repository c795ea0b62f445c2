"""The URLs of the site, and one whose view fails."""

from django.http import HttpRequest, HttpResponse
from django.urls import path

from config import urls


def broken(request: HttpRequest) -> HttpResponse:
    raise RuntimeError("hunter2")


urlpatterns = [path("broken/", broken), *urls.urlpatterns]
handler429, handler500 = urls.handler429, urls.handler500
