"""Remembers the rows that a fixture writes, so that later tests get the same rows without the actions that made them.

Most tests start with the same few accounts. Making them through the actions takes longer than most tests themselves,
so only the first test of a process does it. For later tests, the rows are inserted as they were, bypassing the guards.
Sequences are never reset, so that the keys of these rows are never given to others.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from datetime import datetime
from functools import cache, wraps
from inspect import signature
from typing import Any, ParamSpec, TypeVar
from zoneinfo import ZoneInfo

import time_machine
from django.conf import UserSettingsHolder, settings
from django.db import DatabaseError, connection, models, transaction

from tests import roles
from tests.guarding import sql

# Tables that flush would empty and `migrate` would fill again with the same rows, and the issuer that tests start with.
MADE_BY_MIGRATE = (
    "accounts_timezone",
    "auth_group",
    "auth_group_permissions",
    "auth_permission",
    "billing_issuer",
    "django_content_type",
)
OF_NO_FIXTURE = {*MADE_BY_MIGRATE, "django_migrations", "django_cache", "django_session"}
Rows = dict[str, dict[str, str]]  # by table: rows as JSON, by primary key
P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True)
class Remembered:
    """The SQL that writes the rows of a fixture, the objects it was given as it left them, and what it returned."""

    statement: str
    given: list[models.Model]
    returned: Any


_remembered: dict[tuple[object, ...], Remembered] = {}


def remembered(fixture: Callable[P, T]) -> Callable[P, T]:
    """Remember what a fixture writes: `@pytest.fixture`, then `@remembered`.

    With other settings, objects or parameters, or on another day, the fixture runs again. Rows are all it may leave, so
    it may not change settings itself.
    """
    assert not {"settings", "monkeypatch"}.intersection(signature(fixture).parameters)

    @wraps(fixture)
    def run(*arguments: P.args, **values: P.kwargs) -> T:
        return remember(f"{fixture.__module__}.{fixture.__qualname__}", lambda: fixture(*arguments, **values), values)

    return run


def remember(name: str, make: Callable[[], T], values: Mapping[str, Any]) -> T:
    """Return what `make` returns, after it has written its rows; only the first call really makes them.

    `values` are what `make` uses of other fixtures. While time is being traveled, nothing is remembered.
    """
    with roles.as_owner():
        return _remember(name, make, values)


def _remember(name: str, make: Callable[[], T], values: Mapping[str, Any]) -> T:
    if time_machine.escape_hatch.is_travelling() or not _may_bypass_guards():
        return make()
    given = [value for value in values.values() if isinstance(value, models.Model)]
    here = datetime.now(ZoneInfo("America/New_York"))
    key = (name, here.date(), here.utctimetuple().tm_yday, *map(str, _parameters(values, given)), *_overridden())
    if key not in _remembered:
        before = _rows()
        returned = make()
        _remembered[key] = Remembered(_statement(before, _rows()), *deepcopy((given, returned)))
        return returned
    found = _remembered[key]
    with transaction.atomic():
        sql(found.statement)
    copies, returned = deepcopy((found.given, found.returned))
    for each, copy in zip(given, copies, strict=True):
        each.__dict__.update(copy.__dict__)
    return next((each for each, copy in zip(given, copies, strict=True) if copy is returned), returned)


def _parameters(values: Mapping[str, Any], given: Sequence[models.Model]) -> Iterator[object]:
    yield from ((type(each).__name__, each.pk) for each in given)
    if "request" in values:
        yield getattr(values["request"], "param", None)


def all_rows() -> Rows:
    """Return the rows of all tables but those of `OF_NO_FIXTURE`, to compare them or to go back to them."""
    return _rows()


def go_back_to(rows: Rows) -> None:
    """Make the tables have exactly these rows again, bypassing the guards."""
    with transaction.atomic():
        sql(_statement(_rows(), rows))


def forget() -> None:
    """Forget all rows, because keys that they refer to, such as those of groups, are no longer the same."""
    _remembered.clear()


def _overridden() -> list[str]:
    """Return the settings that the test has changed so far, with their values."""
    found, holder = {}, settings._wrapped
    while isinstance(holder, UserSettingsHolder):
        found = {**{name: value for name, value in vars(holder).items() if name.isupper()}, **found}
        holder = holder.default_settings
    return [f"{name}={value!r}" for name, value in sorted(found.items())]


@cache
def _may_bypass_guards() -> bool:
    try:
        with transaction.atomic():
            sql("SET LOCAL session_replication_role = replica; SET LOCAL session_replication_role = origin")
    except DatabaseError:
        return False
    return True


@cache
def _tables() -> dict[str, tuple[str, list[str]]]:
    """Return the primary key and the columns of each table."""
    with connection.cursor() as cursor:
        tables = set(connection.introspection.table_names(cursor)) - OF_NO_FIXTURE
        keys = {table: connection.introspection.get_primary_key_column(cursor, table) for table in sorted(tables)}
    columns = sql(
        "SELECT attrelid::regclass::text, array_agg(attname::text ORDER BY attnum) FROM pg_attribute "
        "WHERE attnum > 0 AND NOT attisdropped AND attgenerated = '' AND attrelid = ANY(%s::text[]::regclass[]) "
        "GROUP BY attrelid",
        sorted(tables),
    )
    return {table: (keys[table], names) for table, names in columns if keys[table]}


def _rows() -> Rows:
    rows = (
        f"SELECT '{table}', jsonb_object_agg({key}::text, to_jsonb(t)::text) FROM {table} t"
        for table, (key, _) in _tables().items()
    )
    return {table: json.loads(found or "{}") for table, found in sql(" UNION ALL ".join(rows))}


def _statement(before: Rows, after: Rows) -> str:
    """Return SQL that writes what is in `after` and not in `before`, without triggers and foreign keys."""
    parts = ["SET LOCAL session_replication_role = replica"]
    for table, (key, columns) in _tables().items():
        written = [row for pk, row in after[table].items() if before[table].get(pk) != row]
        gone = [pk for pk, row in before[table].items() if after[table].get(pk) != row]
        names = ", ".join(f'"{name}"' for name in columns)
        if gone:
            parts.append(f"DELETE FROM {table} WHERE {key}::text IN ({', '.join(map(_quoted, gone))})")
        if written:
            parts.append(
                f"INSERT INTO {table} ({names}) SELECT {names} "
                f"FROM jsonb_populate_recordset(NULL::{table}, {_quoted('[' + ', '.join(written) + ']')})"
            )
    return "; ".join([*parts, "SET LOCAL session_replication_role = origin"])


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
