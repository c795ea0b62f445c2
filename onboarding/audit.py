"""Events of the mode: it was switched on, its end was planned, asked for, and came."""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from accounts.events.sources import ADDED, CHANGED, REMOVED, Entry, Field, HistorySource
from accounts.events.values import Change, Event, Kind
from accounts.models import Account
from onboarding.models import DeadlineRule, GoLiveRequest, Onboarding
from onboarding.rules import DEFAULT_PACKAGE, SEAT_LIMIT

VERBS = {
    "activate": "Activate the account",
    "request_go_live": "Ask to go live",
    "go_live": "Ask to go live",
    "withdraw_go_live": "Withdraw the request to go live",
    "withdraw": "Withdraw the request to go live",
    "answer_go_live": "Answer the request to go live",
    "set_deadline": "Set a deadline",
    "remove_deadline": "Remove the deadline",
    "follow_policy": "Follow the policy's deadline",
    "schedule_activation": "Schedule the activation",
    "cancel_schedule": "Cancel the scheduled activation",
}
# What the rows of the mode's own history say of a plan, for customers; the team reads more, with the reasons.
DEADLINE, SCHEDULED, MOVED, CANCELLED = (
    "Deadline changed",
    "Activation scheduled",
    "Scheduled activation moved",
    "Scheduled activation cancelled",
)
PLANS = frozenset({DEADLINE, SCHEDULED, MOVED, CANCELLED})
UNTOLD = ("assign_owner", "write_note")
REFUSALS = {
    "seat_limit": f"tried {{tried}} seats; {SEAT_LIMIT} is the limit in onboarding",
    "package_locked": f"tried {{tried}}; {DEFAULT_PACKAGE} is fixed in onboarding",
    "wanted_date": "tried {tried}; a day from today to a year from now can be asked for",
    "deadline_date": "tried {tried}; a day from today to a year from now can be set",
    "scheduled_date": "tried {tried}; a day from today to a year from now can be set",
    "not_installed": "Contact Center is not installed",
}


def day_in_words(value: str | None) -> str:
    """Return a day that JSON has as text: `March 31, 2026`; nothing for none."""
    if not value:
        return ""
    day = date.fromisoformat(value)
    return f"{day:%B} {day.day}, {day.year}"


class ModeSource(HistorySource):
    """The mode itself, and when it is to end. The team's reasons, notes and owner are its own, and are not told."""

    kind = Kind.ONBOARDING
    item = "account__number"
    fields = {
        "activated_at": Field("Mode", lambda value: "active" if value else "in onboarding"),
        "scheduled_on": Field("Scheduled activation", day_in_words),
    }
    watched = ("deadline_rule", "deadline_on")
    actions = {ADDED: "Onboarding mode switched on", CHANGED: "Onboarding changed", REMOVED: "Onboarding removed"}

    def action(self, entry: Entry) -> str:
        now, was = entry.now["is"], entry.was
        if entry.now["type"] != CHANGED:
            return super().action(entry)
        if now["activated_at"] != was.get("activated_at"):
            return "Account activated"
        if now["scheduled_on"] != was.get("scheduled_on"):
            moved = MOVED if was.get("scheduled_on") else SCHEDULED
            return moved if now["scheduled_on"] else CANCELLED
        return DEADLINE

    def changes(self, entry: Entry) -> Iterator[Change]:
        yield from super().changes(entry)
        before, after = _deadline(entry.was), _deadline(entry.now["is"])
        if entry.now["type"] == CHANGED and before != after:
            yield Change("Deadline", before, after)


class RequestSource(HistorySource):
    kind = Kind.ONBOARDING
    item = "wanted_on"
    watched = ("withdrawn_at", "answered_at")
    actions = {ADDED: "Asked to go live", CHANGED: "Request to go live changed", REMOVED: "Request removed"}

    def facts(self) -> dict[str, Any]:
        return {**super().facts(), "answer": "answer"}

    def event(self, account: Account, entry: Entry) -> Event:
        item = f"for {day_in_words(entry.now['item'])}"
        return self.described(account, entry, self.action(entry), item, note=self.note(entry))

    def action(self, entry: Entry) -> str:
        if entry.now["type"] == CHANGED:
            for moment, words in (("withdrawn_at", "withdrawn"), ("answered_at", "answered")):
                if entry.now["is"][moment] != entry.was.get(moment):
                    return f"Request to go live {words}"
        return super().action(entry)

    def note(self, entry: Entry) -> str:
        return entry.now["answer"]


def _deadline(state: Mapping[str, Any]) -> str:
    rule = state.get("deadline_rule", DeadlineRule.POLICY)
    words = {DeadlineRule.POLICY: "as for all accounts", DeadlineRule.NONE: "none"}
    return words.get(rule) or day_in_words(state["deadline_on"])


SOURCES = [ModeSource(Onboarding), RequestSource(GoLiveRequest)]
