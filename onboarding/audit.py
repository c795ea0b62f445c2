"""Events of the mode: it was switched on, asked to end, ended."""

from datetime import date
from typing import Any

from django.db.models import Q

from accounts.events.sources import ADDED, CHANGED, REMOVED, Entry, Field, HistorySource
from accounts.events.values import SYSTEM, Event, Kind
from accounts.models import Account
from onboarding.models import GoLiveRequest, Onboarding, Origin
from onboarding.rules import DEFAULT_PACKAGE, SEAT_LIMIT

VERBS = {
    "activate": "Activate the account",
    "request_go_live": "Ask to go live",
    "go_live": "Ask to go live",
    "withdraw_go_live": "Withdraw the request to go live",
    "withdraw": "Withdraw the request to go live",
}
REFUSALS = {
    "seat_limit": f"tried {{tried}} seats; {SEAT_LIMIT} is the limit in onboarding",
    "package_locked": f"tried {{tried}}; {DEFAULT_PACKAGE} is fixed in onboarding",
    "wanted_date": "tried {tried}; a day from today to a year from now can be asked for",
    "not_installed": "Contact Center is not installed",
}


class ModeSource(HistorySource):
    """The mode itself. Why the team activated is staff's own word, and is not told."""

    kind = Kind.ONBOARDING
    item = "account__number"
    fields = {"activated_at": Field("Mode", lambda value: "active" if value else "in onboarding")}
    actions = {ADDED: "Onboarding mode switched on", CHANGED: "Account activated", REMOVED: "Onboarding removed"}

    def facts(self) -> dict[str, Any]:
        return {**super().facts(), "from": "activated_from"}

    def who(self, entry: Entry) -> tuple[str, str]:
        """Return the system for what its schedule did, whoever of the team it is named for."""
        who, person = super().who(entry)
        return (SYSTEM if entry.now["from"] == Origin.SCHEDULE else who), person

    def by_system(self) -> Q:
        return super().by_system() | Q(activated_from=Origin.SCHEDULE)


class RequestSource(HistorySource):
    kind = Kind.ONBOARDING
    item = "wanted_on"
    watched = ("withdrawn_at",)
    actions = {ADDED: "Asked to go live", CHANGED: "Request to go live withdrawn", REMOVED: "Request removed"}

    def event(self, account: Account, entry: Entry) -> Event:
        day = date.fromisoformat(entry.now["item"])
        return self.described(account, entry, self.action(entry), f"for {day:%B} {day.day}, {day.year}")


SOURCES = [ModeSource(Onboarding), RequestSource(GoLiveRequest)]
