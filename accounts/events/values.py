"""An event and its parts, and what may be asked for. No queries."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
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
    """One thing that changed, in words; `before` or `after` is empty where there was or is nothing.

    `field` is the name of the field of the row that says so, where one does.
    """

    label: str
    before: str
    after: str
    field: str = ""


class Cursor(NamedTuple):
    """The place of an event in the list: by its moment, then by its source, then by its row."""

    at: datetime
    source: int
    key: int

    def __str__(self) -> str:
        return f"{self.at.isoformat()}~{self.source}~{self.key}"

    @classmethod
    def read(cls, text: str) -> "Cursor | None":
        """Return the place that a text names, or None where it names none."""
        at, *rest = text.split("~")
        try:
            source, key = map(int, rest)
            moment = datetime.fromisoformat(at)
        except ValueError:
            return None
        possible = moment.tzinfo is not None and 1 < moment.year < 9999 and abs(source) < 2**31 and abs(key) < 2**63
        return cls(moment, source, key) if possible else None


@dataclass(frozen=True)
class Event:
    """Something that happened on an account, in words for its customer.

    `who` is a person's name, "Onboarding team" for the provider's staff, or "System". `person` is the name behind it,
    which only the provider's own pages show.
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
    """Which events are asked for: of a kind, by somebody, from a moment until before another, older than a place.

    `who` is the key of a person, OF_TEAM or OF_SYSTEM. What is empty doesn't matter.
    """

    kind: str = ""
    who: str = ""
    since: datetime | None = None
    until: datetime | None = None
    before: Cursor | None = None
