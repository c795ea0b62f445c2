"""What web, worker and report need of each table.

By default, web and worker read, add and change the rows of a table of ours. What a guard always refuses, they don't
get. Deleting, and all else that is not the rule, an app states in the `uses` of its config. Tables of Django and of the
libraries are listed here.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from django.apps import apps
from django.conf import settings
from django.db import models

from core.groups import GrantingAppConfig
from core.guards import REFUSE_ROW, Guard, KeyGuard, SharedGuard, StatementGuard, all_guards
from core.guards.applied import OUR_APPS
from core.roles.uses import Uses

READ, ADD, CHANGE, DELETE = "SELECT", "INSERT", "UPDATE", "DELETE"
NOTHING: frozenset[str] = frozenset()
ONLY_READ = frozenset({READ})
USUAL = frozenset({READ, ADD, CHANGE})
ALL = USUAL | {DELETE}


@dataclass(frozen=True)
class Need:
    """What the roles may do with a table.

    `row_locks` is whether web and worker lock its rows although they may not change them, for which PostgreSQL asks for
    the right to change one column. It is the key, which a guard keeps. `hidden` are the columns that report can't read.
    """

    web: frozenset[str] = USUAL
    worker: frozenset[str] = USUAL
    report: frozenset[str] = ONLY_READ
    row_locks: bool = False
    hidden: frozenset[str] = field(default_factory=frozenset)
    key: str = "id"


SECRET = Need(ALL, NOTHING, NOTHING)
FRAMEWORK: Mapping[str, Need] = {
    "django_migrations": Need(ONLY_READ, ONLY_READ),
    "django_content_type": Need(ONLY_READ, ONLY_READ),
    "auth_permission": Need(ONLY_READ, ONLY_READ),
    "auth_group": Need(ALL, ONLY_READ),
    "auth_group_permissions": Need(ALL, ONLY_READ),
    "django_admin_log": Need(frozenset({READ, ADD}), NOTHING),
    "django_session": Need(ALL, frozenset({READ, DELETE}), NOTHING),
    "account_emailaddress": Need(ALL, USUAL),  # whoever delivers a link for a new password may add the address
    "account_emailconfirmation": SECRET,
    "mfa_authenticator": SECRET,
    "usersessions_usersession": SECRET,
    "procrastinate_jobs": Need(ALL, ALL),
    "procrastinate_events": Need(),
    "procrastinate_periodic_defers": Need(ALL, ALL),
    "procrastinate_workers": Need(ALL, ALL),
}
CACHE = Need(ALL, ALL, NOTHING)


def needs() -> dict[str, Need]:
    """Return what the roles need of each table of the product, by its name."""
    found = {"django_migrations": FRAMEWORK["django_migrations"], str(settings.CACHES["default"]["LOCATION"]): CACHE}
    for model in apps.get_models(include_auto_created=True):
        table = model._meta.db_table
        if table in FRAMEWORK:
            found[table] = FRAMEWORK[table]
        elif model.__module__.split(".")[0] in OUR_APPS and not model._meta.proxy:
            found[table] = _need(model)
    for config in apps.get_app_configs():
        if isinstance(config, GrantingAppConfig):
            found.update(dict.fromkeys(config.uses.only_reads, Need(ONLY_READ, ONLY_READ)))
            found.update(dict.fromkeys(config.uses.views, Need(NOTHING, NOTHING)))
    refused = _refused()
    return {table: _without(need, refused.get(table, NOTHING)) for table, need in found.items()}


def unknown_tables() -> list[str]:
    """Return tables of models that are neither ours nor listed here, so that no role has any right on them."""
    known = needs()
    return sorted({model._meta.db_table for model in apps.get_models(include_auto_created=True)} - known.keys())


def _need(model: type[models.Model]) -> Need:
    config = apps.get_app_config(model._meta.app_label)
    uses = config.uses if isinstance(config, GrantingAppConfig) else Uses()
    name = model.__name__
    rights = ALL if name in uses.deletes or model._meta.auto_created else USUAL
    worker = ONLY_READ if name in uses.of_web or model._meta.auto_created else rights
    if name in uses.worker_adds:
        worker |= {ADD}
    hidden = frozenset(column for place, column in (path.split(".") for path in uses.hidden) if place == name)
    key = model._meta.pk.column or "id"
    return Need(rights, worker, row_locks=name in uses.row_locks, hidden=hidden, key=key)


def _without(need: Need, refused: frozenset[str]) -> Need:
    return Need(need.web - refused, need.worker - refused, need.report, need.row_locks, need.hidden, need.key)


def _refused() -> dict[str, frozenset[str]]:
    """Return by table which of UPDATE and DELETE a guard refuses for every row."""
    found: dict[str, frozenset[str]] = {}
    for guard in all_guards():
        events = frozenset(_always_refused(guard)) & {CHANGE, DELETE}
        found[guard.table] = found.get(guard.table, NOTHING) | events
    return found


def _always_refused(guard: Guard) -> Iterator[str]:
    """Yield the events for which a guard refuses every row, as its text says in the ways in which ours say it."""
    events = guard.events.split(" OR ")
    if isinstance(guard, (KeyGuard, StatementGuard)):
        return
    if isinstance(guard, SharedGuard):
        if guard.runs is REFUSE_ROW:
            yield from events
    elif guard.body.strip() == "REFUSE;":
        yield from events
    elif guard.body.strip().startswith("IF TG_OP = 'DELETE' THEN REFUSE; END IF;"):
        yield DELETE
