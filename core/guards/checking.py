"""The check that every guard in the database matches the code (invariant I18)."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from enum import Enum
from functools import cache
from hashlib import sha256
from typing import Any

from django.core.checks import CheckMessage, Error, Warning
from django.db import DatabaseError, connections

from core.guards.applied import missing_migrations, the_code
from core.guards.constraints import expected_columns, expected_constraints, normal, normal_sql
from core.guards.definition import Function, Guard
from core.guards.operations import Replace
from core.guards.sentences import all_functions, all_guards

# Settings that disable guards for a session, a role or a database.
SETTINGS = {
    "guards.writing_history": "guard of the past (guards.writing_history is set, and nobody writes history)",
    "session_replication_role": "firing of guards (session_replication_role is set to replica)",
}


class State(Enum):
    """What is wrong with a guard. The value is the ID of the check's message."""

    OFF = "guards.E001"
    MISSING = "guards.E002"
    CHANGED = "guards.E004"
    OUTDATED = "guards.E005"


HINTS = {
    State.OFF: "Find out who switched it off, then switch it on again: ALTER TABLE … ENABLE TRIGGER …, or, if it is a "
    "setting, ALTER DATABASE … RESET … or ALTER ROLE … RESET ….",
    State.MISSING: "Run `manage.py migrate`; if no migration waits, find out who took it away. "
    "`manage.py guards --sql NAME` prints what brings it back.",
    State.CHANGED: "It isn't as this release made it: find out who changed it. "
    "`manage.py guards --sql NAME` prints what puts a guard right; drop what was added to a table.",
    State.OUTDATED: "Run `manage.py migrate`; if no migration waits, one was recorded without being run. "
    "`manage.py guards --sql NAME` prints what puts it right.",
}


@dataclass(frozen=True)
class Finding:
    """A guard that doesn't match the code: its state, its name, and what it is as text."""

    state: State
    name: str
    what: str

    def __str__(self) -> str:
        return f"The {self.what} is {self.state.name}."


# One query for everything, since the readiness check runs every few seconds: what exists, whether it is enabled, and a
# hash of its definition. Foreign keys are enforced by system triggers, which can be disabled too. NOT NULL constraints
# have names only from PostgreSQL 18 on, so columns are compared instead. The schema's name is the only thing that may
# differ between databases, so it is left out.
CATALOG = """
WITH home AS (
    SELECT n.oid, n.nspname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.oid = to_regclass('django_migrations')
), tables AS (
    SELECT c.oid, c.relname, home.nspname FROM pg_class c JOIN home ON home.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p')
), found (kind, place, name, is_on, definition) AS (
    SELECT 'trigger', r.relname, t.tgname, t.tgenabled IN ('O', 'A'), pg_get_triggerdef(t.oid, true)
    FROM pg_trigger t JOIN tables r ON r.oid = t.tgrelid WHERE NOT t.tgisinternal
UNION ALL
    SELECT 'function', '', p.proname, true, concat_ws(E'\\n',
        pg_get_function_identity_arguments(p.oid), pg_get_function_result(p.oid), l.lanname, p.provolatile,
        CASE WHEN p.prosecdef THEN 'definer' ELSE 'invoker' END,
        (SELECT string_agg(s.setting, ', ' ORDER BY s.setting COLLATE "C") FROM (
            SELECT CASE setting WHEN format('search_path=pg_catalog, %I, pg_temp', home.nspname)
                THEN 'search_path=ours' ELSE setting END AS setting FROM unnest(p.proconfig) setting) s),
        p.prosrc)
    FROM pg_proc p JOIN home ON home.oid = p.pronamespace JOIN pg_language l ON l.oid = p.prolang
UNION ALL
    SELECT 'constraint', r.relname, k.conname,
        NOT EXISTS (SELECT FROM pg_trigger t WHERE t.tgconstraint = k.oid AND t.tgenabled NOT IN ('O', 'A')),
        pg_get_constraintdef(k.oid)
    FROM pg_constraint k JOIN tables r ON r.oid = k.conrelid WHERE k.contype IN ('c', 'f', 'p', 'u', 'x')
UNION ALL
    SELECT 'constraint', r.relname, c.relname, true,
        replace(pg_get_indexdef(i.indexrelid), format(' ON %I.', r.nspname), ' ON ')
            || CASE WHEN i.indisvalid AND i.indisready THEN '' ELSE ' NOT VALID' END
    FROM pg_index i JOIN tables r ON r.oid = i.indrelid JOIN pg_class c ON c.oid = i.indexrelid
    WHERE i.indisunique AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = c.oid AND k.contype <> 'f')
UNION ALL
    SELECT 'columns', r.relname, '', true, string_agg(a.attname, ' ' ORDER BY a.attnum)
    FROM pg_attribute a JOIN tables r ON r.oid = a.attrelid WHERE a.attnum > 0 AND a.attnotnull AND NOT a.attisdropped
    GROUP BY r.relname
UNION ALL
    -- What may keep a write, or a guard that looks, from seeing the table's rows.
    SELECT 'table', r.relname, '', true, concat_ws(', ',
        (SELECT string_agg('the rule ' || w.rulename, ', ' ORDER BY w.rulename)
            FROM pg_rewrite w WHERE w.ev_class = r.oid),
        (SELECT string_agg('the child ' || i.inhrelid::regclass, ', ' ORDER BY i.inhrelid)
            FROM pg_inherits i WHERE i.inhparent = r.oid),
        CASE WHEN c.relrowsecurity THEN 'row-level security' END)
    FROM tables r JOIN pg_class c ON c.oid = r.oid
UNION ALL
    SELECT 'setting', '', s.name, s.is_on AND NOT EXISTS (
        SELECT FROM pg_db_role_setting d JOIN pg_database b ON d.setdatabase IN (0, b.oid), unnest(d.setconfig) set
        WHERE b.datname = current_database() AND set ~* ('^' || s.name || '=' || s.pattern)), ''
    FROM home, (VALUES
        ('guards.writing_history', '.', coalesce(current_setting('guards.writing_history', true), '') = ''),
        ('session_replication_role', 'replica', current_setting('session_replication_role') <> 'replica')
    ) AS s (name, pattern, is_on)
)
"""
HASHES = f"""{CATALOG}
SELECT kind, place, name, is_on,
    CASE WHEN kind IN ('columns', 'table') THEN definition
        WHEN kind = 'constraint' THEN encode(sha256(convert_to({normal_sql("definition")}, 'UTF8')), 'hex')
        ELSE encode(sha256(convert_to(definition, 'UTF8')), 'hex') END
FROM found
"""
CONSTRAINTS = f"{CATALOG} SELECT place, name, definition FROM found WHERE kind = 'constraint'"

_migrating: ContextVar[bool] = ContextVar("migrating", default=False)


@contextmanager
def migrating() -> Iterator[None]:
    """Make the check ignore what pending migrations will install, since `migrate` runs the check before them."""
    token = _migrating.set(True)
    try:
        yield
    finally:
        _migrating.reset(token)


def check_guards(app_configs: Any = None, databases: Sequence[str] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """Return an error for each guard in the database that doesn't match the code (invariant I18)."""
    messages: list[CheckMessage] = []
    for alias in databases or []:
        connections[alias].ensure_connection()  # if the server can't be reached, raise that error
        try:
            found = findings(alias)
            if _migrating.get() and missing_migrations(alias):
                left = [finding for finding in found if finding.state is State.OFF]
                if left != found:
                    hint = "Run `manage.py check --database default` when they have run."
                    warning = "Guards are missing or outdated, and so are migrations."
                    messages.append(Warning(warning, hint=hint, id="guards.W001"))
                found = left
        except DatabaseError as error:
            messages.append(Error(f"The database's guards can't be read: {error}", id="guards.E003"))
        else:
            messages += [Error(str(each), hint=HINTS[each.state], id=each.state.value) for each in found]
    return messages


def findings(alias: str) -> list[Finding]:
    """Return what is wrong with the guards of a database, or nothing before its first migrate.

    This takes one query if all is well. A definition that differs from the code is OUTDATED if migrations are pending
    or if it is one that a migration has replaced; otherwise it was CHANGED by somebody. Raises DatabaseError if the
    query fails.
    """
    with connections[alias].cursor() as cursor:
        cursor.execute(HASHES)
        catalog = _Catalog(cursor.fetchall())
    if not catalog.on:
        return []
    found = list(_differences(catalog, State.CHANGED))
    if any(finding.state is State.CHANGED for finding in found) and missing_migrations(alias):
        return list(_differences(catalog, State.OUTDATED))
    return found


def constraints_of(alias: str) -> dict[tuple[str, str], str]:
    """Return the definition of every constraint in the database's schema, by table and name."""
    with connections[alias].cursor() as cursor:
        cursor.execute(CONSTRAINTS)
        return {(table, name): text for table, name, text in cursor.fetchall()}


class _Catalog:
    """What exists in a database, by kind, table and name: whether it is enabled, and hashes of its definitions."""

    def __init__(self, rows: list[tuple[str, str, str, bool, str]]) -> None:
        self.on = {(kind, table, name): is_on for kind, table, name, is_on, _ in rows}
        # Several functions may share a name, and the one that is called may not be ours.
        self.hashes: dict[tuple[str, str, str], set[str]] = {}
        for kind, table, name, _, definition in rows:
            self.hashes.setdefault((kind, table, name), set()).add(definition)

    def columns(self, table: str) -> set[str]:
        return {column for names in self.hashes.get(("columns", table, ""), ()) for column in names.split()}

    def added(self, table: str) -> str:
        """Return what somebody added to a table that no table of ours has, as text, or nothing."""
        return next(iter(self.hashes["table", table, ""]))

    def state(self, kind: str, table: str, name: str, text: "_Text", otherwise: State) -> State | None:
        """Return what is wrong, or None; `otherwise` is the state if the definition is neither current nor earlier."""
        key = (kind, table, name)
        if key not in self.on:
            return State.MISSING
        if not self.on[key]:
            return State.OFF
        if self.hashes[key] == {text.now}:
            return None
        return State.OUTDATED if self.hashes[key] <= text.earlier else otherwise


@dataclass(frozen=True)
class _Text:
    """The hash of a definition, and the hashes of earlier definitions that migrations have replaced."""

    now: str
    earlier: frozenset[str] = frozenset()


@dataclass(frozen=True)
class _Expected:
    """What the database should have according to the code."""

    triggers: list[tuple[Guard, _Text]]
    functions: dict[str, _Text]
    constraints: dict[tuple[str, str], _Text]
    columns: dict[str, set[str]]


@cache
def _expected() -> _Expected:
    replaced = [
        operation.was
        for migration in the_code().disk_migrations.values()
        for operation in migration.operations
        if isinstance(operation, Replace) and operation.was
    ]
    functions = [*all_functions(), *(guard.function for guard in all_guards() if guard.function.name == guard.name)]
    return _Expected(
        triggers=[(guard, _Text(_hash(guard.trigger), _earlier_triggers(guard, replaced))) for guard in all_guards()],
        functions={each.name: _Text(_hash(each.described()), _earlier_texts(each, replaced)) for each in functions},
        constraints={key: _Text(_hash(normal(text))) for key, text in expected_constraints().items()},
        columns=expected_columns(),
    )


def _earlier_triggers(guard: Guard, replaced: list[Guard | Function]) -> frozenset[str]:
    return frozenset(_hash(was.trigger) for was in replaced if isinstance(was, Guard) and was.name == guard.name)


def _earlier_texts(function: Function, replaced: list[Guard | Function]) -> frozenset[str]:
    texts = (was.function if isinstance(was, Guard) else was for was in replaced)
    return frozenset(_hash(was.described()) for was in texts if was.name == function.name)


def _hash(text: str) -> str:
    return sha256(text.encode()).hexdigest()


def _differences(catalog: _Catalog, otherwise: State) -> Iterator[Finding]:
    for name, what in SETTINGS.items():
        if not catalog.on["setting", "", name]:
            yield Finding(State.OFF, name, what)
    expected = _expected()
    functions = dict(expected.functions)
    for guard, text in expected.triggers:
        state = catalog.state("trigger", guard.table, guard.name, text, otherwise)
        if own := functions.pop(guard.name, None):  # a function that only this guard runs is reported with it
            state = state or catalog.state("function", "", guard.name, own, otherwise)
        if state:
            yield Finding(state, guard.name, f"guard {guard.name} on {guard.table}")
    for name, text in functions.items():
        if state := catalog.state("function", "", name, text, otherwise):
            yield Finding(state, name, f"function {name} that guards call")
    for (table, name), text in expected.constraints.items():
        if state := catalog.state("constraint", table, name, text, otherwise):
            yield Finding(state, name, f"constraint {name} on {table}")
    ours = {guard.name for guard, _ in expected.triggers}
    for kind, table, name in sorted(catalog.on):
        if kind == "trigger" and table in expected.columns and name not in ours:
            yield Finding(State.CHANGED, table, f"table {table}, which has the trigger {name} of somebody else,")
    for table, columns in expected.columns.items():
        if ("table", table, "") not in catalog.on:
            yield Finding(State.MISSING, table, f"table {table}")
        elif added := catalog.added(table):
            yield Finding(State.CHANGED, table, f"table {table}, which has {added},")
        for column in sorted(columns - catalog.columns(table)):
            yield Finding(State.MISSING, f"{table}.{column}", f"NOT NULL of {table}.{column}")
