"""Sources of events: each reads the rows of one table and turns a row into an event."""

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
    """A row of a source.

    `by` is the user who did it (their names and what kind of user they are), `now` holds the values of the row, and
    `was` those of the row before it, or {} if there is none.
    """

    cursor: Cursor
    by: Mapping[str, Any]
    now: Mapping[str, Any]
    was: Mapping[str, Any]


def as_written(value: Any) -> str:
    """Return a value that needs no translation as text; an empty string for None."""
    return "" if value is None else str(value)


def one_of(words: Mapping[str, Any], otherwise: str = "") -> Callable[[Any], str]:
    """Return a function that looks up the text for a value in `words`.

    For None or an empty value that has no entry it returns the translated `otherwise`; any other value is itself.
    """
    return lambda value: str(words.get(value, (otherwise and gettext(otherwise)) if value in (None, "") else value))


@dataclass(frozen=True)
class Field:
    """A field whose changes are shown: its label, and a function that returns a JSON value of it as text."""

    label: str
    words: Callable[[Any], str] = as_written


class Source:
    """The rows of one table that belong to an account.

    A subclass defines `rows` (which rows), `columns` (which values of a row are read) and `event` (what is shown).
    `at` and `user` are lookup paths to the time of the event and to the user who did it ("" if the system did).
    """

    kind: EventKind
    at = "history_date"
    user = "history_user"
    staff: ClassVar[str] = TEAM

    def rows(self, account: Account) -> QuerySet[Any]:
        """Return the rows of this account only."""
        raise NotImplementedError

    def columns(self) -> dict[str, Any]:
        """Return the expressions whose values `event` needs, by their names in `Entry.now`."""
        raise NotImplementedError

    def event(self, account: Account, entry: Entry) -> Event:
        """Return the event that a row stands for."""
        raise NotImplementedError

    def before(self) -> Any:
        """Return the expression for the values of the row before this one, which become `Entry.was`."""
        return JSONObject()

    def visible(self, rows: QuerySet[Any], account: Account, wanted: Wanted) -> QuerySet[Any]:
        """Return the rows that are events of the account for the person who asks."""
        return rows

    def entries(self, account: Account, wanted: Wanted, *, source: int) -> QuerySet[Any, Any]:
        """Return the COLUMNS of the wanted rows; `source` is the index of this source in `all_sources()`."""
        rows = self.rows(account).annotate(
            event_at=ExpressionWrapper(F(self.at), DateTimeField()),
            event_source=Value(source, IntegerField()),
            event_key=ExpressionWrapper(F("pk"), BigIntegerField()),
            event_by=self._by(),
            event_now=JSONObject(**self.columns()),
            event_was=self.before(),
        )
        return self.visible(rows, account, wanted).filter(self._window(wanted, source)).values_list(*COLUMNS)

    def described(self, account: Account, entry: Entry, action: str, item: str, **more: Any) -> Event:
        """Return an event with its person, its kind and the translated action filled in."""
        who, person = self.who(entry)
        return Event(entry.cursor, self.kind, who, person, gettext(action), item, **more)

    def who(self, entry: Entry) -> tuple[str, str]:
        """Return who did it, as customers see it, and the person's name."""
        if not entry.by.get("email") or entry.by["system"]:
            return gettext(SYSTEM), gettext(SYSTEM)
        person = f"{entry.by['first']} {entry.by['last']}".strip() or entry.by["email"]
        return (gettext(self.staff) if entry.by["staff"] else person), person

    def _by(self) -> JSONObject:
        if not self.user:
            return JSONObject()
        return JSONObject(**{name: f"{self.user}__{field}" for name, field in NAMED.items()})

    def _window(self, wanted: Wanted, source: int) -> Q:
        """Return the condition for the wanted rows. Comparisons of times are separate, so that an index can be used."""
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
        # By key instead of a join: the database then checks this before it compares each row with the one before.
        if who == OF_SYSTEM:
            return Q(**{self.user: None}) | Q(**{f"{self.user}__in": User.objects.filter(is_system=True).values("pk")})
        if who == OF_TEAM:
            team = User.objects.filter(is_staff=True, is_system=False)
            return Q(**{f"{self.user}__in": team.values("pk")})
        return Q(**{self.user: who, f"{self.user}__is_staff": False, f"{self.user}__is_system": False})


class HistorySource(Source):
    """The history of a model: a row is an event if something was added or removed, or if one of `fields` changed.

    `actions` has a text for each type of history row, and `item` is the lookup path to the name of what changed. A
    change of a field in `watched` makes an event too, but `changes` doesn't list it. `also_visible` is a condition for
    further rows that are events.
    """

    fields: ClassVar[Mapping[str, Field]] = {}
    watched: ClassVar[tuple[str, ...]] = ()
    also_visible: ClassVar[Q] = Q(pk__in=[])
    item: ClassVar[str]
    actions: ClassVar[Mapping[str, str]]
    account = "account"

    def __init__(self, model: type[Model]) -> None:
        self.model: Any = model

    @property
    def history(self) -> QuerySet[Any]:
        rows: QuerySet[Any] = self.model.history.model._base_manager.all()
        return rows

    def rows(self, account: Account) -> QuerySet[Any]:
        return self.history.filter(**{self.account: account.pk})

    def columns(self) -> dict[str, Any]:
        return {"type": "history_type", "item": self.item, "reason": "history_change_reason", "is": self._state()}

    def _state(self) -> JSONObject:
        return JSONObject(**{name: F(name) for name in (*self.fields, *self.watched)})

    def before(self) -> Any:
        earlier = self.history.filter(id=OuterRef("id"), history_id__lt=OuterRef("history_id"))
        return Subquery(earlier.order_by("-history_id").values(state=self._state())[:1], output_field=JSONField())

    def visible(self, rows: QuerySet[Any], account: Account, wanted: Wanted) -> QuerySet[Any]:
        differs = IsDistinctFrom(self._state(), F("event_was"), output_field=BooleanField())
        return rows.filter(~Q(history_type=CHANGED) | Q(differs) | self.also_visible)

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
        """Yield the fields that changed; for an added or removed row, all its fields that have a value."""
        state, kind = entry.now["is"], entry.now["type"]
        for name, field in self.fields.items():
            before = "" if kind == ADDED else field.words((entry.was if kind == CHANGED else state).get(name))
            after = "" if kind == REMOVED else field.words(state[name])
            if before != after:
                yield FieldChange(gettext(field.label), before, after, name)


class IsDistinctFrom(Func):
    """SQL's IS DISTINCT FROM: whether two values differ, with NULL as a value like any other."""

    template = "%(expressions)s"
    arg_joiner = " IS DISTINCT FROM "
    conditional = True


def moment_of(value: str | None) -> datetime | None:
    """Return the instant of an ISO 8601 text from JSON, or None."""
    return datetime.fromisoformat(value) if value else None
