"""The action by which the team answers a go-live request (R17)."""

from datetime import datetime

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from accounts.acting import action
from accounts.models import Account, User
from core.clock import database_now
from core.history import attributed
from onboarding.models import GoLiveRequest, NoticeKind, Onboarding
from onboarding.notices.enqueue import enqueue
from onboarding.plans import PLANNER, require_team
from onboarding.refusals import not_installed_refusal
from onboarding.required_text import required_text


@action
def answer_go_live(account: Account, *, answer: str, by: User, now: datetime | None = None) -> GoLiveRequest:
    """Answer the account's open request, notify the customer, who may then ask again, and return the request.

    Raises PermissionDenied unless `by` is active staff with the permission `onboarding.change_onboarding`. Raises
    ValidationError if the answer is empty, if Contact Center is not installed, or if there is no open request.
    """
    require_team(by, PLANNER)
    answer = required_text(answer, field="answer", missing="Write the answer that the customer reads.")
    if not Onboarding.objects.filter(account=account).exists():
        raise not_installed_refusal(account.number)
    request = GoLiveRequest.objects.open().filter(account=account).first()
    if request is None:
        raise ValidationError(_("There is no request to answer."), code="no_request")
    now = now or database_now()
    request.answer, request.answered_by, request.answered_at = answer, by, now
    attributed(request, to=by, at=now).save(update_fields=["answer", "answered_by", "answered_at"])
    data = {"answer": answer, "wanted_on": request.wanted_on.isoformat()}
    enqueue([account.pk], NoticeKind.ANSWERED, occasion=f"request {request.pk}", now=now, data=data)
    return request
