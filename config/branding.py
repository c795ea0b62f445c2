"""The context processor that gives every template the name of the control panel."""

from django.conf import settings
from django.http import HttpRequest


def branding(request: HttpRequest) -> dict[str, str]:
    """Return `brand`, the name of the control panel that customers see."""
    return {"brand": settings.BRAND_NAME}
