"""The name of the control panel, for every template."""

from django.conf import settings
from django.http import HttpRequest


def branding(request: HttpRequest) -> dict[str, str]:
    """Return `brand`, the name customers know the control panel by."""
    return {"brand": settings.BRAND_NAME}
