"""The first page of the back office: each group sees what it works on, and who may only look sees all he may see."""

from typing import Any

from django.http import HttpRequest

from billing import dashboard as billing
from core.clock import database_now
from onboarding import dashboard as onboarding

WORKS_ON = {
    "onboarding": ("onboarding.activate_account", "onboarding.change_onboarding"),
    "billing": ("billing.decide_billonhold", "billing.issue_creditnote"),
}
SEES = {"onboarding": "onboarding.view_onboarding", "billing": "billing.view_billrun"}


def dashboard(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Return the context of the page with the figures of each room that this member of staff works on."""
    user = request.user
    seen = [room for room, permission in SEES.items() if user.has_perm(permission)]
    worked_on = [room for room in seen if any(map(user.has_perm, WORKS_ON[room]))]
    rooms = worked_on or seen
    return {
        **context,
        "title": "Today" if rooms else context["title"],
        "onboarding": onboarding.figures(database_now()) if "onboarding" in rooms else None,
        "billing": billing.figures() if "billing" in rooms else None,
    }
