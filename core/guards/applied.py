"""Compares the migrations applied to the database with those in the code."""

from functools import cache

from django.db import connections
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

OUR_APPS = ("core", "accounts", "onboarding", "subscriptions", "billing")


def missing_migrations(alias: str) -> list[str]:
    """Return the migrations of the code that are not applied to the database, as `app.name`. One query."""
    applied = MigrationRecorder(connections[alias]).applied_migrations()
    return [f"{app}.{name}" for app, name in sorted(the_code().graph.nodes) if (app, name) not in applied]


def unknown_migrations(alias: str) -> list[str]:
    """Return the migrations of our apps, as `app.name`, that only the database has, from a later release. One query."""
    applied = MigrationRecorder(connections[alias]).applied_migrations()
    known = the_code().disk_migrations
    return [f"{app}.{name}" for app, name in sorted(applied) if app in OUR_APPS and (app, name) not in known]


@cache
def the_code() -> MigrationLoader:
    """Return the migrations in the code. They are cached, because reading them is slow and they don't change."""
    return MigrationLoader(None)
