"""The action that adds a note about an account for the team."""

from datetime import datetime

from accounts.acting import action
from accounts.models import Account, User
from core.clock import database_now
from onboarding.models import Note, Onboarding
from onboarding.plans import PLANNER, require_team
from onboarding.refusals import not_installed_refusal
from onboarding.required_text import required_text


@action
def write_note(account: Account, *, text: str, by: User, now: datetime | None = None) -> Note:
    """Add a note about the account for the team and return it; an active account may have notes too.

    Raises ValidationError if the text is empty or longer than 4,000 characters, or if Contact Center is not installed.
    """
    require_team(by, PLANNER)
    text = required_text(text, field="text", missing="Write something to keep.", longest=4_000)
    if not Onboarding.objects.filter(account=account).exists():
        raise not_installed_refusal(account.number)
    return Note.objects.create(account=account, text=text, written_by=by, written_at=now or database_now())
