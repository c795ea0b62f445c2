"""Where events come from: a source reads the rows of one table, and says what each row means."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from django.db.models import (
    BigIntegerField,
    BooleanField,
    DateTimeField,
    ExpressionWrapper,
    F,
    Func,
    IntegerField,
    JSONField,
    Model,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
)
from django.db.models.functions import JSONObject
from django.utils.translation import gettext

from accounts.events.values import OF_SYSTEM, OF_TEAM, SYSTEM, TEAM, Cursor, Event, EventKind, FieldChange, Wanted
from accounts.models import Account, User

COLUMNS = ("event_at", "event_source", "event_key", "event_by", "event_now", "event_was")
NAMED = {"first": "first_name", "last": "last_name", "email": "email", "staff": "is_staff", "system": "is_system"}
ADDED, CHANGED, REMOVED = "+", "~", "-"  # as django-simple-history writes them


@dataclass(frozen=True)
class Entry:
    """A row of a source: when, by whom, and what it says; `was` is what the row before it said, {} where none did."""

    cursor: Cursor
    by: Mapping[str, Any]
    now: Mapping[str, Any]
    was: Mapping[str, Any]


def as_written(value: Any) -> str:
    """Return a value in words where it needs no translation; nothing for none."""
    return "" if value is None else str(value)


def one_of(words: Mapping[str, Any], otherwise: str = "") -> Callable[[Any], str]:
    """Return a function that says a value by these words."""
    return lambda value: str(words.get(value, (otherwise and gettext(otherwise)) if value in (None, "") else value))


@dataclass(frozen=True)
class Field:
    """A field whose changes are told: its label, and a function that says a value (as JSON has it) in words."""

    label: str
    words: Callable[[Any], str] = as_written


class Source:
    """Rows of one table that belong to an account.

    A subclass says in `rows` which rows, and in `facts` and `event` what of a row is read and told. Paths are those of
    a query: `at` to the moment, `user` to who did it (or "" where the system did).
    """

    kind: EventKind
    at = "history_date"
    user = "history_user"
    staff: ClassVar[str] = TEAM

    def rows(self, account: Account) -> QuerySet[Any]:
        """Return the rows of the account, and of no other."""
        raise NotImplementedError

    def facts(self) -> dict[str, Any]:
        """Return the expressions whose values `event` needs, by their names in `Entry.now`."""
        raise NotImplementedError

    def event(self, account: Account, entry: Entry) -> Event:
        """Return what a row means."""
        raise NotImplementedError

    def before(self) -> Any:
        """Return the expression of what the row before this one said."""
        return JSONObject()

    def told(self, rows: QuerySet[Any], account: Account) -> QuerySet[Any]:
        """Return those of the rows that are events of the account."""
        return rows

    def entries(self, account: Account, wanted: Wanted, *, source: int) -> QuerySet[Any, Any]:
        """Return the COLUMNS of the wanted rows; `source` is the place of this source among all."""
        rows = self.rows(account).annotate(
            event_at=ExpressionWrapper(F(self.at), DateTimeField()),
            event_source=Value(source, IntegerField()),
            event_key=ExpressionWrapper(F("pk"), BigIntegerField()),
            event_by=self._by(),
            event_now=JSONObject(**self.facts()),
            event_was=self.before(),
        )
        return self.told(rows, account).filter(self._window(wanted, source)).values_list(*COLUMNS)

    def described(self, account: Account, entry: Entry, action: str, item: str, **more: Any) -> Event:
        """Return an event with who did it."""
        who, person = self.who(entry)
        return Event(entry.cursor, self.kind, who, person, gettext(action), item, **more)

    def who(self, entry: Entry) -> tuple[str, str]:
        """Return who did it for the customer, and the name behind that."""
        if not entry.by.get("email") or entry.by["system"]:
            return gettext(SYSTEM), gettext(SYSTEM)
        person = f"{entry.by['first']} {entry.by['last']}".strip() or entry.by["email"]
        return (gettext(self.staff) if entry.by["staff"] else person), person

    def _by(self) -> JSONObject:
        if not self.user:
            return JSONObject()
        return JSONObject(**{name: f"{self.user}__{field}" for name, field in NAMED.items()})

    def _window(self, wanted: Wanted, source: int) -> Q:
        """Return the condition of what is wanted. Its moments stand alone, where an index can serve them."""
        window = Q()
        if wanted.since:
            window &= Q(event_at__gte=wanted.since)
        if wanted.until:
            window &= Q(event_at__lt=wanted.until)
        if wanted.before:
            at, place, key = wanted.before
            if source < place:
                window &= Q(event_at__lt=at)
            elif source > place:
                window &= Q(event_at__lte=at)
            else:
                window &= Q(event_at__lte=at) & (Q(event_at__lt=at) | Q(event_key__lt=key))
        if wanted.who:
            window &= self._who(wanted.who)
        return window

    def _who(self, who: str) -> Q:
        if not self.user:
            return Q() if who == OF_SYSTEM else Q(pk__in=[])
        # By key, not by a join: the database looks at it before it compares each row with the one before.
        if who == OF_SYSTEM:
            return Q(**{self.user: None}) | Q(**{f"{self.user}__in": User.objects.filter(is_system=True).values("pk")})
        if who == OF_TEAM:
            team = User.objects.filter(is_staff=True, is_system=False)
            return Q(**{f"{self.user}__in": team.values("pk")})
        return Q(**{self.user: who, f"{self.user}__is_staff": False, f"{self.user}__is_system": False})


class HistorySource(Source):
    """The history of a model: a row is told where it was added or removed, or where one of `fields` changed in it.

    `actions` says each type of a row in words; `item` is the path to the name of what changed. What is in `watched`
    makes a row an event as `fields` do, and is not told by itself; `also_told` is the condition of other rows that are.
    """

    fields: ClassVar[Mapping[str, Field]] = {}
    watched: ClassVar[tuple[str, ...]] = ()
    also_told: ClassVar[Q] = Q(pk__in=[])
    item: ClassVar[str]
    actions: ClassVar[Mapping[str, str]]
    account = "account"

    def __init__(self, model: type[Model]) -> None:
        self.model: Any = model

    @property
    def history(self) -> QuerySet[Any]:
        return self.model.history.model._base_manager.all()

    def rows(self, account: Account) -> QuerySet[Any]:
        return self.history.filter(**{self.account: account.pk})

    def facts(self) -> dict[str, Any]:
        return {"type": "history_type", "item": self.item, "reason": "history_change_reason", "is": self._state()}

    def _state(self) -> JSONObject:
        return JSONObject(**{name: F(name) for name in (*self.fields, *self.watched)})

    def before(self) -> Any:
        earlier = self.history.filter(id=OuterRef("id"), history_id__lt=OuterRef("history_id"))
        return Subquery(earlier.order_by("-history_id").values(state=self._state())[:1], output_field=JSONField())

    def told(self, rows: QuerySet[Any], account: Account) -> QuerySet[Any]:
        differs = IsDistinctFrom(self._state(), F("event_was"), output_field=BooleanField())
        return rows.filter(~Q(history_type=CHANGED) | Q(differs) | self.also_told)

    def event(self, account: Account, entry: Entry) -> Event:
        return self.described(
            account,
            entry,
            self.action(entry),
            as_written(entry.now["item"]),
            changes=tuple(self.changes(entry)),
            note=self.note(entry),
        )

    def action(self, entry: Entry) -> str:
        return self.actions[entry.now["type"]]

    def note(self, entry: Entry) -> str:
        return ""

    def changes(self, entry: Entry) -> Iterator[FieldChange]:
        """Yield the fields that changed; of what was added what it has, and of what was removed what it had."""
        state, kind = entry.now["is"], entry.now["type"]
        for name, field in self.fields.items():
            before = "" if kind == ADDED else field.words((entry.was if kind == CHANGED else state).get(name))
            after = "" if kind == REMOVED else field.words(state[name])
            if before != after:
                yield FieldChange(gettext(field.label), before, after, name)


class IsDistinctFrom(Func):
    """Whether two values differ, where none is a value too."""

    template = "%(expressions)s"
    arg_joiner = " IS DISTINCT FROM "
    conditional = True


def moment_of(value: str | None) -> datetime | None:
    """Return the instant that JSON has as text."""
    return datetime.fromisoformat(value) if value else None
