"""Events about onboarding: its start, deadlines and schedules, go-live requests, and the activation."""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from django.utils.translation import gettext, gettext_noop

from accounts.events.sources import ADDED, CHANGED, REMOVED, Entry, Field, HistorySource
from accounts.events.values import Event, EventKind, FieldChange
from accounts.models import Account
from accounts.verbs import BACK_OFFICE
from core.dates import day_in_words
from onboarding.models import DeadlineRule, GoLiveRequest, Onboarding
from onboarding.rules import DEFAULT_PACKAGE, SEAT_LIMIT

VERBS = {
    "request_go_live": gettext_noop("Ask to go live"),
    "withdraw_go_live": gettext_noop("Withdraw the request to go live"),
}
HIDDEN_FROM_CUSTOMERS = {
    "activate": "Activate the account",
    "answer_go_live": "Answer the request to go live",
    "set_deadline": "Set a deadline",
    "remove_deadline": "Remove the deadline",
    "follow_policy": "Follow the policy's deadline",
    "schedule_activation": "Schedule the activation",
    "cancel_schedule": "Cancel the scheduled activation",
    "assign_owner": "Assign an owner",
    "write_note": "Write a note",
    "send_again": "Send a notice again",
}
FORMER_NAMES = {
    "go_live": "request_go_live",
    "withdraw": "withdraw_go_live",
    "accounts_account_activate_account": "activate",
    "onboarding_onboarding_activate_one": "activate",
    "onboarding_onboarding_owner": "assign_owner",
    "onboarding_onboarding_deadline": "set_deadline",
    "onboarding_onboarding_no-deadline": "remove_deadline",
    "onboarding_onboarding_policy": "follow_policy",
    "onboarding_onboarding_schedule": "schedule_activation",
    "onboarding_onboarding_cancel-schedule": "cancel_schedule",
    "onboarding_onboarding_note": "write_note",
    "onboarding_onboarding_answer": "answer_go_live",
    "onboarding_onboarding_change": BACK_OFFICE,
}
# Texts for the plan's rows in the history, as customers see them. The team's timeline also shows the reasons.
DEADLINE, SCHEDULED, MOVED, CANCELLED = (
    gettext_noop("Deadline changed"),
    gettext_noop("Activation scheduled"),
    gettext_noop("Scheduled activation moved"),
    gettext_noop("Scheduled activation cancelled"),
)
PLAN_EVENTS = frozenset({DEADLINE, SCHEDULED, MOVED, CANCELLED})
REFUSALS = {
    "seat_limit": gettext_noop("tried {tried} seats; {seat_limit} is the limit in onboarding"),
    "package_locked": gettext_noop("tried {tried}; {default_package} is fixed in onboarding"),
    "wanted_date": gettext_noop("tried {tried}; a day from today to a year from now can be asked for"),
    "deadline_date": gettext_noop("tried {tried}; a day from today to a year from now can be set"),
    "scheduled_date": gettext_noop("tried {tried}; a day from today to a year from now can be set"),
    "not_installed": gettext_noop("Contact Center is not installed"),
}
REASON_VALUES = {"seat_limit": SEAT_LIMIT, "default_package": DEFAULT_PACKAGE}


def day_text(value: str | None) -> str:
    """Return a day from JSON as customers read it, like `March 31, 2026`; an empty string for None."""
    if not value:
        return ""
    return day_in_words(date.fromisoformat(value))


class ModeSource(HistorySource):
    """The mode, and when onboarding is to end. The team's reasons and the account's owner are never shown."""

    kind = EventKind.ONBOARDING
    item = "account__number"
    fields = {
        "activated_at": Field(
            gettext_noop("Mode"), lambda value: gettext("active") if value else gettext("in onboarding")
        ),
        "scheduled_on": Field(gettext_noop("Scheduled activation"), day_text),
    }
    watched = ("deadline_rule", "deadline_on")
    actions = {
        ADDED: gettext_noop("Onboarding mode switched on"),
        CHANGED: gettext_noop("Onboarding changed"),
        REMOVED: gettext_noop("Onboarding removed"),
    }

    def action(self, entry: Entry) -> str:
        now, was = entry.now["is"], entry.was
        if entry.now["type"] != CHANGED:
            return super().action(entry)
        if now["activated_at"] != was.get("activated_at"):
            return gettext_noop("Account activated")
        if now["scheduled_on"] != was.get("scheduled_on"):
            moved = MOVED if was.get("scheduled_on") else SCHEDULED
            return moved if now["scheduled_on"] else CANCELLED
        return DEADLINE

    def changes(self, entry: Entry) -> Iterator[FieldChange]:
        yield from super().changes(entry)
        before, after = _deadline(entry.was), _deadline(entry.now["is"])
        if entry.now["type"] == CHANGED and before != after:
            yield FieldChange(gettext("Deadline"), before, after)


class RequestSource(HistorySource):
    """Go-live requests: made, withdrawn or answered."""

    kind = EventKind.ONBOARDING
    item = "wanted_on"
    watched = ("withdrawn_at", "answered_at")
    actions = {
        ADDED: gettext_noop("Asked to go live"),
        CHANGED: gettext_noop("Request to go live changed"),
        REMOVED: gettext_noop("Request removed"),
    }

    def columns(self) -> dict[str, Any]:
        return {**super().columns(), "answer": "answer"}

    def event(self, account: Account, entry: Entry) -> Event:
        item = gettext("for %(day)s") % {"day": day_text(entry.now["item"])}
        return self.described(account, entry, self.action(entry), item, note=self.note(entry))

    def action(self, entry: Entry) -> str:
        if entry.now["type"] == CHANGED:
            for moment, words in (
                ("withdrawn_at", gettext_noop("Request to go live withdrawn")),
                ("answered_at", gettext_noop("Request to go live answered")),
            ):
                if entry.now["is"][moment] != entry.was.get(moment):
                    return words
        return super().action(entry)

    def note(self, entry: Entry) -> str:
        answer: str = entry.now["answer"]
        return answer


def _deadline(state: Mapping[str, Any]) -> str:
    rule = state.get("deadline_rule", DeadlineRule.POLICY)
    words = {DeadlineRule.POLICY: gettext("as for all accounts"), DeadlineRule.NONE: gettext("none")}
    return words.get(rule) or day_text(state["deadline_on"])


SOURCES = [ModeSource(Onboarding), RequestSource(GoLiveRequest)]
