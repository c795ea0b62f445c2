"""The action that resends notices that are waiting or have failed."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from accounts.models import User
from accounts.roles import require_staff
from core.clock import database_now
from core.outbox.models import EmailState
from core.outbox.queue import requeue
from onboarding.models import Notice
from onboarding.notices.kinds import EMAIL_KIND

MAY_SEND = "onboarding.send_notice"


@dataclass(frozen=True)
class SentAgain:
    """The primary keys of the notices that are now due, and by key the reason why the others are not."""

    due: list[int] = field(default_factory=list)
    refused: Mapping[int, str] = field(default_factory=dict)


def send_again(notices: Collection[int], *, by: User, now: datetime | None = None) -> SentAgain:
    """Requeue the notices with these primary keys as if they had never been tried; the worker sends them next.

    Notices that were sent or dropped, or that are being sent at this moment, are refused, so that nothing is sent
    twice. Raises PermissionDenied unless `by` is active staff with the permission `onboarding.send_notice`.
    """
    require_staff(by, MAY_SEND, "Only the Onboarding team can have a notice sent again.")
    due = requeue(notices, kind=EMAIL_KIND, now=now or database_now())
    others = Notice.objects.filter(pk__in=set(notices) - set(due)).order_by("pk").values_list("pk", "email__state")
    return SentAgain(due, {key: _why_not(state) for key, state in others})


def _why_not(state: str) -> str:
    if state == EmailState.SENT:
        return "It was sent already."
    if state == EmailState.DROPPED:
        return "It was dropped, since it was no longer true."
    return "It is being sent at this moment."
