"""How the back office looks: the settings of django-unfold."""

from typing import Any

from django.templatetags.static import static


def unfold_settings(*, brand: str, version: str) -> dict[str, Any]:
    """Return the value of UNFOLD."""
    icon = {"rel": "icon", "type": "image/svg+xml", "href": lambda request: static("hostpilot/icon.svg")}
    return {
        "SITE_TITLE": f"{brand} back office",
        "SITE_HEADER": f"{brand} back office",
        "SITE_SUBHEADER": f"Version {version}",
        "SITE_SYMBOL": "support_agent",
        "SITE_FAVICONS": [icon],
        "SHOW_VIEW_ON_SITE": False,
        "DASHBOARD_CALLBACK": "config.dashboard.dashboard",
        "SIDEBAR": {"show_search": True, "navigation": "config.navigation.sidebar"},
    }
