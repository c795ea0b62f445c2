"""The action that adds the people of a file to an account's service users."""

from collections.abc import Sequence
from uuid import UUID

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from simple_history.utils import bulk_create_with_history

from accounts.acting import action
from accounts.audit import IMPORTED
from accounts.models import Account, ServiceUser, User
from core.clock import database_now
from core.refusals import AlreadyDone
from subscriptions.people import on_the_list, require_people
from subscriptions.people_file import MOST_PEOPLE, Person, checked


@action
def import_people(account: Account, people: Sequence[Person], *, key: UUID, by: User) -> list[ServiceUser]:
    """Add people to the account's service users, all or none, and return them.

    Raises ValidationError if one of the people isn't valid, or is on the list by now (code `stale`). `key` identifies
    the preview that was confirmed. Raises AlreadyDone if that preview was imported before.
    """
    require_people(account, by)
    reason = f"{IMPORTED} {key}"
    if ServiceUser.history.filter(account=account.pk, history_change_reason=reason).exists():
        raise AlreadyDone(_("You have imported this file already. Nobody was added twice."), code="already_imported")
    if not 0 < len(people) <= MOST_PEOPLE:
        raise ValidationError(
            _("Import from 1 to %(most)s people at once."),
            code="too_many",
            params={"most": f"{MOST_PEOPLE:,}", "tried": len(people)},
        )
    wanted = [checked(person) for person in people]
    emails = [person.email for person in wanted]
    if on_the_list(account, emails) or len(set(emails)) < len(emails):
        raise ValidationError(
            _(
                "Some of these people were put on the list since this page was made. Look at what is left below, and "
                "import that."
            ),
            code="stale",
        )
    rows = [
        ServiceUser(account=account, name=person.name, email=person.email, contact_center_role=person.role)
        for person in wanted
    ]
    added: list[ServiceUser] = bulk_create_with_history(
        rows, ServiceUser, default_user=by, default_change_reason=reason, default_date=database_now()
    )
    return added
