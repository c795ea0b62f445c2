"""The addresses that login had before, under /sign-in/: each leads to its new one."""

from django.http import HttpRequest, HttpResponse, HttpResponsePermanentRedirect

OWN_ADDRESS = ("login/", "logout/")


def moved(request: HttpRequest, rest: str) -> HttpResponse:
    """Redirect to the new address for good; a form that was posted is posted there."""
    path = f"/{rest}" if rest in OWN_ADDRESS else f"/login/{rest}"
    query = request.META.get("QUERY_STRING", "")
    return HttpResponsePermanentRedirect(f"{path}?{query}" if query else path, preserve_request=True)
