"""Events of an account, its contacts, users and numbers, and refusals."""

from collections.abc import Iterator
from typing import Any

from django.db.models import F, Q, QuerySet
from django.utils.text import capfirst
from django.utils.translation import get_language, gettext, gettext_lazy, gettext_noop

from accounts.events.registry import fields, reason_values, reasons
from accounts.events.sources import ADDED, CHANGED, REMOVED, Entry, Field, HistorySource, Source, one_of
from accounts.events.values import Event, EventKind, FieldChange, Wanted
from accounts.language import STORED
from accounts.models import Account, Contact, NumberAssignment, PhoneNumber, Refusal, Role, ServiceRole, ServiceUser
from accounts.models.numbers import national
from accounts.models.refusal import RefusalQuerySet
from accounts.verbs import BACK_OFFICE, OPEN_PAGE, verb_in_words

IMPORTED = "Imported from a file"  # the start of a history row's change reason
CORRECTED = "Assigned from "

VERBS = {
    "add_service_user": gettext_noop("Add a person"),
    OPEN_PAGE: gettext_noop("Open a page"),
}
HIDDEN_FROM_CUSTOMERS = {BACK_OFFICE: "Use the back office"}
# Earlier versions recorded names of views and URLs, and those rows are never changed.
FORMER_NAMES = {
    "add_user": "add_service_user",
    "audit_log": OPEN_PAGE,
    "audit_log_csv": OPEN_PAGE,
    "accounts_account_change": BACK_OFFICE,
}
REFUSALS = {
    "permission_denied": gettext_noop("the role does not allow it"),
    "service_user_email_once_per_account": gettext_noop("tried {tried}; the address is on the list already"),
}
# The labels of the form fields at which something can be refused. Other apps have fields of their own.
FIELDS = {
    "seats": gettext_lazy("Seats"),
    "storage": gettext_lazy("Storage"),
    "package": gettext_lazy("Package"),
    "edition": gettext_lazy("Edition"),
    "email": gettext_lazy("Email"),
    "name": gettext_lazy("Name"),
    "roles": gettext_lazy("Roles"),
    "people": gettext_lazy("People"),
    "wanted_on": gettext_lazy("Wanted on"),
    "note": gettext_lazy("Note"),
    "on": gettext_lazy("Day"),
}


class AccountSource(HistorySource):
    kind = EventKind.ACCOUNT
    account = "id"
    item = "number"
    fields = {
        "company": Field(gettext_noop("Company")),
        "timezone": Field(gettext_noop("Time zone")),
        "number": Field(gettext_noop("Account number")),
    }
    actions = {
        ADDED: gettext_noop("Account opened"),
        CHANGED: gettext_noop("Account changed"),
        REMOVED: gettext_noop("Account removed"),
    }


class ContactSource(HistorySource):
    """The account's contacts, who may act for it, by email address."""

    kind = EventKind.ACCOUNT
    item = "user__email"
    fields = {"role": Field(gettext_noop("Role"), one_of(dict[str, Any](Role.choices)))}
    actions = {
        ADDED: gettext_noop("Contact added"),
        CHANGED: gettext_noop("Contact changed"),
        REMOVED: gettext_noop("Contact removed"),
    }


class PersonSource(HistorySource):
    kind = EventKind.USERS
    item = "name"
    fields = {
        "name": Field(gettext_noop("Name")),
        "email": Field(gettext_noop("E-mail")),
        "contact_center_role": Field(
            gettext_noop("Contact Center"), one_of(dict[str, Any](ServiceRole.choices), gettext_noop("not assigned"))
        ),
    }
    actions = {
        ADDED: gettext_noop("Person added"),
        CHANGED: gettext_noop("Person changed"),
        REMOVED: gettext_noop("Person removed"),
    }

    def action(self, entry: Entry) -> str:
        if (entry.now["reason"] or "").startswith(IMPORTED):
            return gettext_noop("Person imported")
        if entry.now["type"] == CHANGED:
            role, was = (state.get("contact_center_role") for state in (entry.now["is"], entry.was))
            if role != was:
                return (
                    gettext_noop("Role changed")
                    if role and was
                    else gettext_noop("Contact Center assigned")
                    if role
                    else gettext_noop("Contact Center taken")
                )
        return super().action(entry)

    def changes(self, entry: Entry) -> Iterator[FieldChange]:
        """Yield what changed, for a new user without the name, which is the item, and without an empty role."""
        new = entry.now["type"] == ADDED
        known = {"name"} if entry.now["is"]["contact_center_role"] else {"name", "contact_center_role"}
        return (change for change in super().changes(entry) if not (new and change.field in known))


class NumberSource(HistorySource):
    """The account's numbers. If one moves, both accounts see an event, but neither learns about the other."""

    kind = EventKind.NUMBERS
    item = "number"
    fields = {"number": Field(gettext_noop("Number"), lambda value: national(value) if value else "")}
    watched = ("account_id",)
    actions = {
        ADDED: gettext_noop("Number added"),
        CHANGED: gettext_noop("Number changed"),
        REMOVED: gettext_noop("Number removed"),
    }

    also_visible = Q(history_change_reason__startswith=CORRECTED)

    def rows(self, account: Account) -> QuerySet[Any]:
        ever = self.history.filter(account=account.pk).values("id")
        return self.history.filter(id__in=ever)

    def visible(self, rows: QuerySet[Any], account: Account, wanted: Wanted) -> QuerySet[Any]:
        mine = Q(account=account.pk) | Q(event_was__account_id=account.pk)
        return super().visible(rows, account, wanted).filter(mine)

    def event(self, account: Account, entry: Entry) -> Event:
        number = national(entry.now["item"])
        was, now = (state.get("account_id") == account.pk for state in (entry.was, entry.now["is"]))
        changes = tuple(self.changes(entry)) if was and now and entry.now["type"] == CHANGED else ()
        note = ""
        if not now:
            action = gettext_noop(gettext_noop("Number moved away"))
        elif not was and entry.now["type"] == CHANGED:
            action = self.actions[ADDED]
        elif not changes and (entry.now["reason"] or "").startswith(CORRECTED):
            # The reason itself is for staff only.
            action, note = gettext_noop("Assignment corrected"), _corrected(entry.now["reason"])
        else:
            action = self.action(entry)
        return self.described(account, entry, action, number, changes=changes, note=note)


class AssignmentSource(Source):
    """Numbers that were assigned to Contact Center. An assignment is its own record, without history rows."""

    kind = EventKind.NUMBERS
    at = "period__startswith"
    user = "assigned_by"
    action = gettext_noop("Number assigned")

    def rows(self, account: Account) -> QuerySet[Any]:
        return NumberAssignment.objects.filter(account=account)

    def columns(self) -> dict[str, Any]:
        return {"number": "number__number"}

    def event(self, account: Account, entry: Entry) -> Event:
        return self.described(account, entry, self.action, national(entry.now["number"]))


class EndOfAssignmentSource(AssignmentSource):
    """Numbers that were unassigned from Contact Center."""

    at = "period__endswith"
    user = "ended_by"
    action = gettext_noop("Number unassigned")

    def rows(self, account: Account) -> QuerySet[Any]:
        return super().rows(account).exclude(period__endswith=None)


class RefusalSource(Source):
    """Refusals. Customers see only those of their own users."""

    kind = EventKind.REFUSED
    at = "at"
    user = "by"

    def rows(self, account: Account) -> RefusalQuerySet:
        return Refusal.objects.filter(account=account)

    def visible(self, rows: QuerySet[Any], account: Account, wanted: Wanted) -> QuerySet[Any]:
        assert isinstance(rows, RefusalQuerySet)
        return rows if wanted.for_team else rows.for_customers(account)

    def columns(self) -> dict[str, Any]:
        return {name: F(name) for name in ("action", "field", "tried", "rule", "message")}

    def event(self, account: Account, entry: Entry) -> Event:
        verb, field, tried = (entry.now[name] for name in ("action", "field", "tried"))
        short = reasons().get(entry.now["rule"])
        note = _short(short, tried) if short else _known(entry.now["message"])
        if tried and not short and tried not in note:
            note = gettext("tried %(tried)s: %(why)s") % {"tried": tried, "why": note}
        item = str(fields()[field]) if field in fields() else field.replace("_", " ").capitalize()
        return self.described(account, entry, verb_in_words(verb), item, note=note)


def why_refused(refusal: Refusal) -> str:
    """Return why something was refused, in the active language.

    The message is stored in English. In other languages it is translated, or if it can't be, because it has values in
    it, replaced by the short text of its rule.
    """
    words = _known(refusal.message)
    short = reasons().get(refusal.rule)
    if words != refusal.message or not short or get_language() == STORED:
        return words
    return capfirst(_short(short, refusal.tried))


def _known(message: str) -> str:
    """Return the stored English message in the active language if it has a translation, otherwise in English."""
    return gettext(message) if message else ""


def _short(words: str, tried: str) -> str:
    return gettext(words).format(tried=tried or gettext("nothing"), **reason_values())


def _corrected(reason: str) -> str:
    """Return from when a corrected assignment applies, taken from the stored reason, without what staff wrote."""
    moment = reason.partition(": ")[0].removeprefix(CORRECTED)
    return gettext("Assigned from %(moment)s") % {"moment": moment}


SOURCES = [
    AccountSource(Account),
    ContactSource(Contact),
    PersonSource(ServiceUser),
    NumberSource(PhoneNumber),
    AssignmentSource(),
    EndOfAssignmentSource(),
    RefusalSource(),
]
