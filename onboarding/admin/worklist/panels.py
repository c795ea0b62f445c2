"""The panels on the page of an account that onboarding knows: where it stands, what is asked for, what happened."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.formats import date_format

from core.admin import Panel
from onboarding.admin.plans import NoteForm
from onboarding.admin.worklist.columns import days_late, in_days
from onboarding.admin.worklist.registry import WORKLIST
from onboarding.models import GoLiveRequest
from onboarding.timeline import timeline

MOMENTS = 100
TEMPLATES = "admin/onboarding/onboarding/panels"


def status(request: HttpRequest, row: Any) -> dict[str, Any]:
    return {"due": due(row), "policy_days": settings.ONBOARDING_DEADLINE_DAYS}


def due(row: Any) -> str | None:
    """Return the deadline in words, and how late it is."""
    if row.deadline is None:
        return None
    late = days_late(row)
    words = date_format(row.deadline)
    return f"{words}: {in_days(late)} overdue" if late > 0 else words


def waiting_request(request: HttpRequest, row: Any) -> dict[str, Any] | None:
    found = GoLiveRequest.objects.open().filter(account=row.account_id).select_related("requested_by").first()
    return {"waiting": found} if found else None


def what_happened(request: HttpRequest, row: Any) -> dict[str, Any]:
    return {
        "moments": timeline(row.account, MOMENTS),
        "most_moments": MOMENTS,
        "note": NoteForm(initial={"accounts": str(row.account_id)}, auto_id="note_%s"),
    }


WORKLIST.register_panel(Panel("status", f"{TEMPLATES}/status.html", area="top", place=10, context=status))
WORKLIST.register_panel(Panel("request", f"{TEMPLATES}/request.html", area="cards", place=20, context=waiting_request))
WORKLIST.register_panel(Panel("timeline", f"{TEMPLATES}/timeline.html", area="below", place=20, context=what_happened))
