"""Constraints as the database prints them: CHECK, UNIQUE, EXCLUDE, primary and foreign keys, unique indexes.

Django creates them from the models, with names and definitions that only the database knows. So each app lists them in
a file, `constraints.txt`, one per line with table, name and definition. `manage.py guards --write` writes the file, and
a test compares it with a new database. NOT NULL is not in it, because PostgreSQL names such constraints only from
version 18 on, and the models say which columns have it.
"""

import re
from pathlib import Path

from django.apps import apps
from django.db import models

from core.guards.applied import OUR_APPS

FILE = "constraints.txt"

# A dump that is read into another database says `('a'::character varying)::text` where the first one said
# `'a'::character varying` in a list of `text`. Both mean the same, so both are compared without these casts.
SAME = (
    (r"::(character varying|text)(\[\])?", ""),
    (r"\('((?:[^']|'')*)'\)", r"'\1'"),
    (r"\(\(ARRAY\[([^]]*)\]\)\)", r"(ARRAY[\1])"),
)


def normal(definition: str) -> str:
    """Return a definition as it is compared: the same for a database and for one that was restored from its dump."""
    for pattern, replacement in SAME:
        definition = re.sub(pattern, replacement, definition)
    return definition


def normal_sql(expression: str) -> str:
    """Return the SQL of the same."""
    for pattern, replacement in SAME:
        quoted = [text.replace("'", "''") for text in (pattern, replacement)]
        expression = f"regexp_replace({expression}, '{quoted[0]}', '{quoted[1]}', 'g')"
    return expression


def expected_constraints() -> dict[tuple[str, str], str]:
    """Return the definition of each constraint by table and name, from the apps' files."""
    lines = (line for app in OUR_APPS for line in file_of(app).read_text(encoding="utf-8").splitlines())
    return {(table, name): text for table, name, text in (line.split(" ", 2) for line in lines)}


def expected_columns() -> dict[str, set[str]]:
    """Return the NOT NULL columns of each table according to the models, without generated columns."""
    return {
        model._meta.db_table: {
            str(field.column) for field in model._meta.local_concrete_fields if not (field.null or field.generated)
        }
        for model in our_models()
    }


def our_models() -> list[type[models.Model]]:
    """Return the models of our apps that have tables, including those of many-to-many relations."""
    return [
        model
        for app in OUR_APPS
        for model in apps.get_app_config(app).get_models(include_auto_created=True)
        if model._meta.managed and not model._meta.proxy
    ]


def files_for(found: dict[tuple[str, str], str]) -> dict[Path, str]:
    """Return the content of each app's file for these constraints of a database, which are by table and name."""
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
    """Return the path of an app's file."""
    return Path(apps.get_app_config(app).path) / FILE
