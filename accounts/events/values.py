"""An event, its parts, and the filters for events. No queries."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

TEAM = gettext_noop("Onboarding team")
SYSTEM = gettext_noop("System")
OF_TEAM, OF_SYSTEM = "team", "system"  # in place of a person's key


class EventKind(models.TextChoices):
    """The part of an account that an event belongs to."""

    SUBSCRIPTION = "subscription", _("Subscription")
    USERS = "users", _("Users")
    NUMBERS = "numbers", _("Phone numbers")
    ONBOARDING = "onboarding", _("Onboarding")
    BILLING = "billing", _("Billing")
    ACCOUNT = "account", _("Account and contacts")
    REFUSED = "refused", _("Refused")


@dataclass(frozen=True)
class FieldChange:
    """One changed value, as text; `before` or `after` is empty if there was or is none.

    `field` is the name of the model field that changed, if it is a single one.
    """

    label: str
    before: str
    after: str
    field: str = ""


class Cursor(NamedTuple):
    """The position of an event in the list, which is sorted by time, then by source, then by row."""

    at: datetime
    source: int
    key: int

    def __str__(self) -> str:
        return f"{self.at.isoformat()}~{self.source}~{self.key}"

    @classmethod
    def read(cls, text: str) -> "Cursor | None":
        """Return the cursor that `str()` has written as this text, or None if the text is not a valid one."""
        at, *rest = text.split("~")
        try:
            source, key = map(int, rest)
            moment = datetime.fromisoformat(at)
            if moment.tzinfo is not None:
                moment = moment.astimezone(UTC)  # PostgreSQL takes offsets of less than 16 hours only
        except (ValueError, OverflowError):
            return None
        possible = moment.tzinfo is not None and 1 < moment.year < 9999 and abs(source) < 2**31 and abs(key) < 2**63
        return cls(moment, source, key) if possible else None


@dataclass(frozen=True)
class Event:
    """Something that happened on an account, in words for its customer.

    `who` is a person's name, "System", or a team like "Onboarding team" in place of a member of staff. `person` is the
    name of the person in any case, and is shown only in the back office.
    """

    cursor: Cursor
    kind: EventKind
    who: str
    person: str
    action: str
    item: str
    changes: Sequence[FieldChange] = ()
    note: str = ""

    @property
    def at(self) -> datetime:
        return self.cursor.at

    @property
    def is_refused(self) -> bool:
        return self.kind == EventKind.REFUSED


@dataclass(frozen=True)
class Wanted:
    """Filters for events; one that is empty doesn't apply.

    `who` is the key of a user, OF_TEAM or OF_SYSTEM. `since` is inclusive and `until` exclusive. `before` is the cursor
    of the last event of the page before. What staff were refused is only there `for_team`.
    """

    kind: str = ""
    who: str = ""
    since: datetime | None = None
    until: datetime | None = None
    before: Cursor | None = None
    for_team: bool = False
