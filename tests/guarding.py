"""Ways to write to the database that bypass the application, and assertions about what the database refuses."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from django.apps import apps
from django.core import serializers
from django.core.management import call_command
from django.db import IntegrityError, connection, models, transaction

from core.guards import sentence_of
from core.outbox.models import OutgoingEmail

OURS = ("accounts", "onboarding", "subscriptions", "billing")


def everything(*, but: tuple[type[models.Model], ...] = ()) -> dict[str, Any]:
    """Return all rows of all our models by table, to compare them later; one query, since most tests call this."""
    models = [*(model for app in OURS for model in apps.get_app_config(app).get_models()), OutgoingEmail]
    ours = [model._meta for model in models if model not in but]
    rows = (
        f"SELECT '{meta.db_table}', jsonb_agg(to_jsonb(t) ORDER BY t.{meta.pk.column}) FROM {meta.db_table} t"
        for meta in ours
    )
    return dict(sql(" UNION ALL ".join(rows)))


@contextmanager
def nothing_written(*, but: tuple[type[models.Model], ...] = ()) -> Iterator[None]:
    """Assert that the block leaves every row of our models, except those in `but`, as it was."""
    before = everything(but=but)
    yield
    assert everything(but=but) == before


@contextmanager
def refused_by(*guards: str) -> Iterator[None]:
    """Assert that one of these database guards refuses the block with a sentence.

    The block is a transaction or a savepoint of its own, so nothing of it is left in the database.
    """
    with pytest.raises(IntegrityError) as refusal, transaction.atomic():
        yield
    sentence = sentence_of(refusal.value)
    assert sentence is not None, refusal.value
    assert sentence.guard in guards
    assert sentence.text.endswith(".")


def sql(statement: str, *params: object) -> list[tuple[Any, ...]]:
    """Run a statement and return its rows, if it has any."""
    with connection.cursor() as cursor:
        cursor.execute(statement, params or None)
        return cursor.fetchall() if cursor.description else []


def settle() -> None:
    """Run now what the database does at commit: deferred triggers and foreign key checks."""
    sql("SET CONSTRAINTS ALL IMMEDIATE")
    sql("SET CONSTRAINTS ALL DEFERRED")


def load_fixture(*rows: models.Model) -> None:
    """Write the rows as they are in memory, with `loaddata` of a file."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "rows.json"
        path.write_text(serializers.serialize("json", rows))
        call_command("loaddata", path, verbosity=0)


def changed(row: models.Model, fields: dict[str, Any]) -> models.Model:
    """Return the row as it is in the database, with the fields changed in memory only."""
    found = type(row)._base_manager.get(pk=row.pk)
    for name, value in fields.items():
        setattr(found, name, value)
    return found


def columns(row: models.Model, fields: dict[str, Any]) -> dict[str, Any]:
    """Return the fields' values by column, prepared for the database."""
    found = changed(row, fields)
    described = (row._meta.get_field(name) for name in fields)
    return {field.column: field.get_db_prep_save(getattr(found, field.attname), connection) for field in described}


def by_save(row: models.Model, **fields: Any) -> None:
    changed(row, fields).save()


def by_queryset_update(row: models.Model, **fields: Any) -> None:
    type(row)._base_manager.filter(pk=row.pk).update(**fields)


def by_bulk_update(row: models.Model, **fields: Any) -> None:
    type(row)._base_manager.bulk_update([changed(row, fields)], list(fields))


def by_upsert(row: models.Model, **fields: Any) -> None:
    type(row)._base_manager.bulk_create(
        [changed(row, fields)], update_conflicts=True, unique_fields=[row._meta.pk.name], update_fields=list(fields)
    )


def by_raw_update(row: models.Model, **fields: Any) -> None:
    values = columns(row, fields)
    settings = ", ".join(f"{column} = %s" for column in values)
    sql(f"UPDATE {row._meta.db_table} SET {settings} WHERE {row._meta.pk.column} = %s", *values.values(), row.pk)


def by_merge(row: models.Model, **fields: Any) -> None:
    values = columns(row, fields)
    settings = ", ".join(f"{column} = %s" for column in values)
    sql(
        f"MERGE INTO {row._meta.db_table} t USING (SELECT %s::bigint AS id) s ON s.id = t.{row._meta.pk.column} "
        f"WHEN MATCHED THEN UPDATE SET {settings}",
        row.pk,
        *values.values(),
    )


def by_loaddata(row: models.Model, **fields: Any) -> None:
    load_fixture(changed(row, fields))


def by_history_revert(row: models.Model, **fields: Any) -> None:
    """Save the row again from its history, as the revert button of simple-history does."""
    instance = row.history.latest().instance  # type: ignore[attr-defined]
    for name, value in fields.items():
        setattr(instance, name, value)
    instance.save()


# Each changes a row, bypassing our actions.
UPDATES: list[Callable[..., None]] = [
    by_save,
    by_queryset_update,
    by_bulk_update,
    by_upsert,
    by_raw_update,
    by_merge,
    by_loaddata,
    by_history_revert,
]


def by_create(row: models.Model) -> None:
    row.save(force_insert=True)


def by_bulk_create(row: models.Model) -> None:
    type(row)._base_manager.bulk_create([row])


def inserted(row: models.Model) -> dict[str, Any]:
    """Return the new row's values by column, prepared for the database."""
    return {
        field.column: field.get_db_prep_save(getattr(row, field.attname), connection)
        for field in row._meta.concrete_fields
        if not field.primary_key
    }


def by_raw_insert(row: models.Model) -> None:
    values = inserted(row)
    places = ", ".join(["%s"] * len(values))
    sql(f"INSERT INTO {row._meta.db_table} ({', '.join(values)}) VALUES ({places})", *values.values())


def by_copy(row: models.Model) -> None:
    values = inserted(row)
    copy = f"COPY {row._meta.db_table} ({', '.join(values)}) FROM STDIN"
    with connection.wrap_database_errors, connection.cursor() as cursor, cursor.copy(copy) as into:
        into.write_row(list(values.values()))


# Each adds a row, bypassing our actions.
INSERTS: list[Callable[[Any], None]] = [by_create, by_bulk_create, by_raw_insert, by_copy, load_fixture]


def named(way: Any) -> str | None:
    """Return the pytest id of a parameter: a function's name, or a dict as JSON."""
    return getattr(way, "__name__", None) or (json.dumps(way, default=str) if isinstance(way, dict) else None)
