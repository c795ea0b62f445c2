"""The action by which a customer asks the Onboarding team to activate the account (R17)."""

from datetime import date, datetime, timedelta

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from accounts.acting import action
from accounts.models import Account, User
from accounts.roles import Capability, require
from core.clock import database_now
from core.dates import day_in_words_later
from core.history import attributed
from onboarding import rules
from onboarding.models import GoLiveRequest, NoticeKind
from onboarding.notices.enqueue import enqueue
from onboarding.refusals import onboarding_of

FURTHEST_WANTED_DATE = timedelta(days=365)


@action
def request_go_live(
    account: Account, *, wanted_on: date, note: str = "", by: User, now: datetime | None = None
) -> GoLiveRequest:
    """Ask the Onboarding team to activate the account on a day, and return the request (R17).

    Raises ValidationError if the day has passed in the account's time zone or is over a year away, if there is an open
    request already, or if the account is active or has no Contact Center.
    """
    require(Capability.CHANGE_SERVICES, by, account)
    onboarding = onboarding_of(account)
    if refusal := rules.activation_refusal(onboarding):
        raise refusal
    now = now or database_now()
    today = account.day_of(now)
    if not today <= wanted_on <= today + FURTHEST_WANTED_DATE:
        raise ValidationError(
            {
                "wanted_on": ValidationError(
                    _("Choose a day from today, %(today)s, to a year from now."),
                    code="wanted_date",
                    params={"today": day_in_words_later(today), "tried": wanted_on},
                )
            }
        )
    request = GoLiveRequest(account=account, wanted_on=wanted_on, note=note.strip(), requested_by=by, requested_at=now)
    request.full_clean()
    attributed(request, to=by, at=now).save()
    data = {"wanted_on": wanted_on.isoformat(), "note": request.note, "requested_by": str(by)}
    enqueue([account.pk], NoticeKind.REQUESTED, occasion=f"request {request.pk}", now=now, data=data)
    return request
