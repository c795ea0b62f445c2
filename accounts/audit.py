"""Events of an account, its contacts, people and numbers, and what was refused."""

from collections.abc import Iterator
from typing import Any

from django.db.models import F, Q, QuerySet

from accounts.events.registry import reasons, untold, verbs
from accounts.events.sources import ADDED, CHANGED, REMOVED, Entry, Field, HistorySource, Source, one_of
from accounts.events.values import Change, Event, Kind
from accounts.models import Account, Contact, NumberAssignment, PhoneNumber, Refusal, Role, ServiceRole, ServiceUser
from accounts.models.numbers import national

IMPORTED = "Imported from a file"  # how the reason of a history row begins
CORRECTED = "Assigned from "

VERBS = {
    "add_service_user": "Add a person",
    "add_user": "Add a person",
}
REFUSALS = {
    "permission_denied": "the role does not allow it",
    "service_user_email_once_per_account": "tried {tried}; the address is on the list already",
}
FIELDS = {"on": "Day"}  # what people call a field whose own name says nothing without its form


class AccountSource(HistorySource):
    kind = Kind.ACCOUNT
    account = "id"
    item = "number"
    fields = {"company": Field("Company"), "timezone": Field("Time zone"), "number": Field("Account number")}
    actions = {ADDED: "Account opened", CHANGED: "Account changed", REMOVED: "Account removed"}


class ContactSource(HistorySource):
    """Who may act for the account; the item is the contact, by name or else by address."""

    kind = Kind.ACCOUNT
    item = "user__email"
    fields = {"role": Field("Role", one_of(dict(Role.choices)))}
    actions = {ADDED: "Contact added", CHANGED: "Contact changed", REMOVED: "Contact removed"}


class PersonSource(HistorySource):
    kind = Kind.USERS
    item = "name"
    fields = {
        "name": Field("Name"),
        "email": Field("E-mail"),
        "contact_center_role": Field("Contact Center", one_of(dict(ServiceRole.choices), "not assigned")),
    }
    actions = {ADDED: "Person added", CHANGED: "Person changed", REMOVED: "Person removed"}

    def action(self, entry: Entry) -> str:
        if (entry.now["reason"] or "").startswith(IMPORTED):
            return "Person imported"
        if entry.now["type"] == CHANGED:
            role, was = (state.get("contact_center_role") for state in (entry.now["is"], entry.was))
            if role != was:
                return "Role changed" if role and was else "Contact Center assigned" if role else "Contact Center taken"
        return super().action(entry)

    def changes(self, entry: Entry) -> Iterator[Change]:
        """Yield what changed; of somebody new neither the name, which is the item, nor that nothing is assigned."""
        new = entry.now["type"] == ADDED
        known = {"Name": True, "Contact Center": not entry.now["is"]["contact_center_role"]}
        return (change for change in super().changes(entry) if not (new and known.get(change.label)))


class NumberSource(HistorySource):
    """The account's numbers. One that moves is told to both accounts, and neither is told of the other."""

    kind = Kind.NUMBERS
    item = "number"
    fields = {"number": Field("Number", lambda value: national(value) if value else "")}
    watched = ("account_id",)
    actions = {ADDED: "Number added", CHANGED: "Number changed", REMOVED: "Number removed"}

    also_told = Q(history_change_reason__startswith=CORRECTED)

    def rows(self, account: Account) -> QuerySet[Any]:
        ever = self.history.filter(account=account.pk).values("id")
        return self.history.filter(id__in=ever)

    def told(self, rows: QuerySet[Any], account: Account) -> QuerySet[Any]:
        mine = Q(account=account.pk) | Q(event_was__account_id=account.pk)
        return super().told(rows, account).filter(mine)

    def event(self, account: Account, entry: Entry) -> Event:
        number = national(entry.now["item"])
        was, now = (state.get("account_id") == account.pk for state in (entry.was, entry.now["is"]))
        changes = tuple(self.changes(entry)) if was and now and entry.now["type"] == CHANGED else ()
        note = ""
        if not now:
            action = "Number moved away"
        elif not was and entry.now["type"] == CHANGED:
            action = self.actions[ADDED]
        elif not changes and (entry.now["reason"] or "").startswith(CORRECTED):
            # The reason itself is staff's own word.
            action, note = "Assignment corrected", entry.now["reason"].partition(": ")[0]
        else:
            action = self.action(entry)
        return self.described(account, entry, action, number, changes=changes, note=note)


class AssignmentSource(Source):
    """Numbers that Contact Center began to answer. Each assignment is its own record."""

    kind = Kind.NUMBERS
    at = "period__startswith"
    user = "assigned_by"
    action = "Number assigned"

    def rows(self, account: Account) -> QuerySet[Any]:
        return NumberAssignment.objects.filter(account=account)

    def facts(self) -> dict[str, Any]:
        return {"number": "number__number"}

    def event(self, account: Account, entry: Entry) -> Event:
        return self.described(account, entry, self.action, national(entry.now["number"]))


class EndOfAssignmentSource(AssignmentSource):
    """Numbers that Contact Center ceased to answer."""

    at = "period__endswith"
    user = "ended_by"
    action = "Number unassigned"

    def rows(self, account: Account) -> QuerySet[Any]:
        return super().rows(account).exclude(period__endswith=None)


class RefusalSource(Source):
    """What was tried and refused, whoever tried it, but for what the team does for itself."""

    kind = Kind.REFUSED
    at = "at"
    user = "by"

    def rows(self, account: Account) -> QuerySet[Any]:
        return Refusal.objects.filter(account=account).exclude(action__in=untold())

    def facts(self) -> dict[str, Any]:
        return {name: F(name) for name in ("action", "field", "tried", "rule", "message")}

    def event(self, account: Account, entry: Entry) -> Event:
        verb, field, tried = (entry.now[name] for name in ("action", "field", "tried"))
        short = reasons().get(entry.now["rule"])
        note = short.format(tried=tried or "nothing") if short else entry.now["message"]
        if tried and not short and tried not in note:
            note = f"tried {tried}: {note}"
        item = FIELDS.get(field) or field.replace("_", " ").capitalize()
        return self.described(account, entry, verbs().get(verb, verb.replace("_", " ").capitalize()), item, note=note)


SOURCES = [
    AccountSource(Account),
    ContactSource(Contact),
    PersonSource(ServiceUser),
    NumberSource(PhoneNumber),
    AssignmentSource(),
    EndOfAssignmentSource(),
    RefusalSource(),
]
