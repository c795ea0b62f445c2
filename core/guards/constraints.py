"""Constraints as the database writes them down: CHECK, UNIQUE, EXCLUDE, primary and foreign keys, unique indexes.

Django makes them from the models, in names and words that only the database knows. So each app has them in a file,
`constraints.txt`, which `manage.py guards --write` writes and a test compares with a new database: a line for each,
with its table, its name and its definition. NOT NULL is not in it: PostgreSQL gives it names from 18 on only, and the
models say which columns have it.
"""

from pathlib import Path

from django.apps import apps
from django.db import models

from core.guards.applied import OUR_APPS

FILE = "constraints.txt"


def expected_constraints() -> dict[tuple[str, str], str]:
    """Return the definition of each constraint by table and name, from the apps' files."""
    lines = (line for app in OUR_APPS for line in file_of(app).read_text(encoding="utf-8").splitlines())
    return {(table, name): text for table, name, text in (line.split(" ", 2) for line in lines)}


def expected_columns() -> dict[str, set[str]]:
    """Return the columns of each table that can't be empty, from the models; what is generated is not among them."""
    return {
        model._meta.db_table: {
            str(field.column) for field in model._meta.local_concrete_fields if not (field.null or field.generated)
        }
        for model in our_models()
    }


def our_models() -> list[type[models.Model]]:
    """Return the models that have tables of our apps, with those of relations between many and many."""
    return [
        model
        for app in OUR_APPS
        for model in apps.get_app_config(app).get_models(include_auto_created=True)
        if model._meta.managed and not model._meta.proxy
    ]


def files_for(found: dict[tuple[str, str], str]) -> dict[Path, str]:
    """Return what each app's file should say for the constraints that a database has, by table and name."""
    tables = {model._meta.db_table: model._meta.app_label for model in our_models()}
    return {
        file_of(app): "".join(
            f"{table} {name} {text}\n"
            for (table, name), text in sorted(found.items())
            if tables.get(table) == app or table.startswith(f"{app}_")
        )
        for app in OUR_APPS
    }


def file_of(app: str) -> Path:
    """Return where the file of an app is."""
    return Path(apps.get_app_config(app).path) / FILE
