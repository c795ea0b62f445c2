"""The action that previews an import of people; it writes nothing."""

from accounts.acting import action
from accounts.models import Account, User
from subscriptions.people import on_the_list, require_people
from subscriptions.people_file import PeopleFile


@action(records_as="import_people")
def propose_people(account: Account, file: PeopleFile, *, by: User) -> PeopleFile:
    """Return the file with people who are on the account's list already moved to `left_out`; nothing is written."""
    require_people(account, by)
    return file.without(on_the_list(account, [person.email for person in file.people]))
