"""What the database itself refuses, in words for people, and the check that every guard is in place.

A guard is a trigger or a named constraint. The migrations of each app create them; the app's `guards.py`
lists its triggers in `GUARDS`. A trigger's error carries SQLSTATE 23514 and the guard's name as CONSTRAINT, so that
it reaches Python as an IntegrityError whose name can be looked up here.
"""

import importlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, TypeAlias

from django.apps import apps
from django.core.checks import CheckMessage, Error, Warning
from django.db import DatabaseError, IntegrityError, connections, models
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

Words: TypeAlias = "str | _StrPromise"  # a promise where a customer can meet it: in the language of who reads it

OUR_APPS = ("core", "accounts", "onboarding", "subscriptions", "billing")
BROUGHT_BY_MIGRATIONS = ("guards.E002", "guards.E005")


@dataclass(frozen=True)
class Guard:
    """A trigger: its name, its table, and what a person is told whom it refuses."""

    name: str
    table: str
    sentence: Words


@dataclass(frozen=True)
class Sentence:
    """The name of what refused, and why in words."""

    guard: str
    text: Words


def append_only(table: str, what: str) -> list[Guard]:
    """Return the two guards of a table to which rows are only ever added."""
    return [
        Guard(f"{table}_is_final", table, f"{what} is never changed or deleted."),
        Guard(f"{table}_is_kept", table, f"{what} is never emptied."),
    ]


def read_committed(*tables: str) -> list[Guard]:
    """Return the guards of tables that are written at READ COMMITTED only (I27)."""
    sentence = "The database must answer at READ COMMITTED; at another isolation level nothing is written."
    return [Guard(f"{table}_is_read_committed", table, sentence) for table in tables]


GUARDS = [
    Guard(
        "outgoing_email_is_final",
        "core_outgoingemail",
        "What an email says and to whom never changes, nor does an email that was sent or dropped.",
    ),
    Guard("outgoing_email_is_never_deleted", "core_outgoingemail", "An email of the outbox is never deleted."),
    Guard("core_outgoingemail_is_kept", "core_outgoingemail", "The outbox is never emptied."),
]


def all_guards() -> Iterator[Guard]:
    """Yield the triggers of every app that has a `guards` module."""
    for config in apps.get_app_configs():
        try:
            module = importlib.import_module(f"{config.name}.guards")
        except ModuleNotFoundError:
            continue
        yield from getattr(module, "GUARDS", [])


def sentence_of(error: IntegrityError) -> Sentence | None:
    """Return what refused and why in words, or None where a constraint has no words of its own."""
    name = getattr(getattr(error.__cause__, "diag", None), "constraint_name", None)
    if not name:
        return None
    for guard in all_guards():
        if guard.name == name:
            return Sentence(name, guard.sentence)
    text = sentence_of_constraint(name)
    return Sentence(name, text) if text else None


def sentence_of_constraint(name: str | None) -> "Words | None":
    """Return why the model constraint of this name refuses, or None where there is none, or it has no words."""
    for constraint in model_constraints():
        if name and constraint.name == name:
            return constraint.violation_error_message
    return None


def model_constraints() -> Iterator[models.BaseConstraint]:
    """Yield the named constraints of this project's models."""
    for model in apps.get_models():
        if model.__module__.split(".")[0] in OUR_APPS:
            yield from model._meta.constraints


def check_guards(app_configs: Any = None, databases: Sequence[str] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """Return an error for each guard that is missing from the database or switched off (invariant I18).

    What is missing while migrations wait is a warning: `migrate` itself asks this first, and would refuse to bring it.
    """
    messages = [message for alias in databases or [] for message in _missing(alias)]
    left = [message for message in messages if message.id not in BROUGHT_BY_MIGRATIONS]
    if left == messages or not any(map(missing_migrations, databases or [])):
        return messages
    hint = "Run `manage.py migrate`, and this check again."
    return [*left, Warning("Guards are missing, and so are migrations.", hint=hint, id="guards.W001")]


def missing_migrations(alias: str) -> list[str]:
    """Return the migrations of the code that are not applied to the database, as `app.name`. One query."""
    applied = MigrationRecorder(connections[alias]).applied_migrations()
    return [f"{app}.{name}" for app, name in _migrations_of_the_code() if (app, name) not in applied]


@cache
def _migrations_of_the_code() -> list[tuple[str, str]]:
    """Return each migration there is, which never changes while the process lives. Reading them takes a while."""
    return sorted(MigrationLoader(None).graph.nodes)


def _missing(alias: str) -> Iterator[CheckMessage]:
    connection = connections[alias]
    connection.ensure_connection()  # where the server can't be reached at all, that is what the caller is told
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT to_regclass('django_migrations')")
            if cursor.fetchone()[0] is None:
                return  # before the first migrate there is nothing to guard
            cursor.execute(
                "SELECT tgname, tgrelid::regclass::text, tgenabled IN ('O', 'A'), "
                "EXISTS (SELECT FROM unnest(proconfig) s WHERE s ~ '^search_path=pg_catalog, .+, pg_temp$') "
                "FROM pg_trigger JOIN pg_proc ON pg_proc.oid = tgfoid WHERE NOT tgisinternal"
            )
            triggers = {(name, table): (enabled, sealed) for name, table, enabled, sealed in cursor.fetchall()}
            cursor.execute("SELECT conname FROM pg_constraint WHERE convalidated UNION SELECT relname FROM pg_class")
            constraints = {name for (name,) in cursor.fetchall()}
            cursor.execute("SELECT coalesce(current_setting('guards.writing_history', true), '')")
            (exempt,) = cursor.fetchone()
    except DatabaseError as error:
        yield Error(f"The database's guards can't be read: {error}", id="guards.E003")
        return
    if exempt:
        yield Error(
            "The guards about time are OFF: guards.writing_history is set outside a transaction that writes history.",
            hint="Reset the setting of the database or the role: ALTER DATABASE … RESET guards.writing_history.",
            id="guards.E006",
        )
    hint = "Run `manage.py migrate`; where the migrations are applied, find out who took the guard away."
    for guard in all_guards():
        if (guard.name, guard.table) not in triggers:
            yield Error(f"The guard {guard.name} on {guard.table} is missing.", hint=hint, id="guards.E005")
            continue
        enabled, sealed = triggers[guard.name, guard.table]
        if not enabled:
            yield Error(f"The guard {guard.name} on {guard.table} is switched off.", hint=hint, id="guards.E001")
        if not sealed:
            yield Error(f"The guard {guard.name} can be fooled by a temporary table.", hint=hint, id="guards.E004")
    for constraint in model_constraints():
        if constraint.name not in constraints:
            yield Error(f"The constraint {constraint.name} is missing.", hint=hint, id="guards.E002")
