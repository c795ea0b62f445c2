"""The first page of the back office: staff see the areas that they work in, or if none, all that they may view."""

from typing import Any

from django.http import HttpRequest

from accounts.models import User
from billing import dashboard as billing
from config.first_steps import first_steps
from core.clock import database_now
from onboarding import dashboard as onboarding

WORKS_ON = {
    "onboarding": ("onboarding.activate_account", "onboarding.change_onboarding"),
    "billing": ("billing.decide_billonhold", "billing.issue_creditnote"),
}
SEES = {"onboarding": "onboarding.view_onboarding", "billing": "billing.view_billrun"}


def dashboard(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Return the page's context with the figures of each area that is shown to this member of staff."""
    user = request.user
    visible = [area for area, permission in SEES.items() if user.has_perm(permission)]
    worked_in = [area for area in visible if any(map(user.has_perm, WORKS_ON[area]))]
    areas = worked_in or visible
    return {
        **context,
        "title": "Today" if areas else context["title"],
        "onboarding": onboarding.figures(database_now()) if "onboarding" in areas else None,
        "billing": billing.figures() if "billing" in areas else None,
        "steps": first_steps(user) if isinstance(user, User) and user.is_superuser else [],
    }
