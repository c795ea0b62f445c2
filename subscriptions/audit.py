"""Events about the subscription: what was installed and bought."""

from collections.abc import Iterator
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import OuterRef
from django.utils.translation import gettext, gettext_noop

from accounts.events.sources import ADDED, CHANGED, REMOVED, Entry, Field, HistorySource
from accounts.events.values import EventKind, FieldChange
from accounts.verbs import OPEN_PAGE
from subscriptions.kinds import SWITCHED
from subscriptions.models import ContactCenter, Holding

VERBS = {
    "install": gettext_noop("Install Contact Center"),
    "change_subscription": gettext_noop("Change the subscription"),
    "assign_users": gettext_noop("Assign Contact Center to people"),
    "import_people": gettext_noop("Import people"),
    "assign_number": gettext_noop("Assign a number"),
    "unassign_number": gettext_noop("Unassign a number"),
}
HIDDEN_FROM_CUSTOMERS = {"correct_assignment": "Correct an assignment"}
FORMER_NAMES = {
    "contact_center": OPEN_PAGE,
    "install_page": "install",
    "subscription": "change_subscription",
    "new_total": "change_subscription",
    "confirm": "change_subscription",
    "users": "assign_users",
    "import_page": "import_people",
    "confirm_import": "import_people",
    "phone_numbers": "assign_number",
}
REFUSALS = {
    "already_installed": gettext_noop("Contact Center is installed already"),
    "stale": gettext_noop("something had changed since the page was made"),
}

FIELDS = {kind.field: kind.plural for kind in SWITCHED}


class CenterSource(HistorySource):
    """Changes of what is held. What is switched on and off comes from the ledger rows of each change."""

    kind = EventKind.SUBSCRIPTION
    item = "edition__name"
    fields = {
        "seats": Field(gettext_noop("Seats"), lambda value: f"{value:,}"),
        "storage__name": Field(gettext_noop("Recording storage")),
        "package__name": Field(gettext_noop("Toll-free package")),
    }
    watched = ("version",)
    actions = {
        ADDED: gettext_noop("Contact Center installed"),
        CHANGED: gettext_noop("Subscription changed"),
        REMOVED: gettext_noop("Contact Center removed"),
    }

    def columns(self) -> dict[str, Any]:
        of_change = {"account": OuterRef("account_id"), "slot__gt": 0, "period__endswith": None}
        written = Holding.objects.filter(**of_change, change__version=OuterRef("version"))
        superseded = Holding.objects.filter(**of_change, superseded_by__version=OuterRef("version"))
        return {
            **super().columns(),
            "on": ArraySubquery(written.order_by("item__name").values("item__name")),
            "off": ArraySubquery(superseded.order_by("item__name").values("item__name")),
        }

    def changes(self, entry: Entry) -> Iterator[FieldChange]:
        yield from super().changes(entry)
        was, now = entry.was.get("version"), entry.now["is"]["version"]
        if was == now:
            return  # the row was written bypassing the application, so there is no change in the ledger
        on, off = set(entry.now["on"]), set(entry.now["off"])
        for name in sorted(on ^ off):
            before, after = (gettext("off"), gettext("on")) if name in on else (gettext("on"), gettext("off"))
            yield FieldChange(name, before, after)


SOURCES = [CenterSource(ContactCenter)]
