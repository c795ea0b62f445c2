"""The former login URLs under /sign-in/, which redirect to the new ones."""

from django.http import HttpRequest, HttpResponse, HttpResponsePermanentRedirect

OWN_ADDRESS = ("login/", "logout/")


def moved(request: HttpRequest, rest: str) -> HttpResponse:
    """Redirect permanently to the new URL; a posted form is posted again there."""
    own = rest.rstrip("/") + "/"
    path = f"/{own}" if own in OWN_ADDRESS else f"/login/{rest}"
    query = request.META.get("QUERY_STRING", "")
    return HttpResponsePermanentRedirect(f"{path}?{query}" if query else path, preserve_request=True)
