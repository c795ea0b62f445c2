"""The user that a history row names, and the history rows of set-based updates, which `save()` would have added."""

from datetime import datetime
from typing import Any, TypeVar

from django.contrib.auth.base_user import AbstractBaseUser
from django.db import models

M = TypeVar("M", bound=models.Model)


def attributed(row: M, *, to: AbstractBaseUser, at: datetime | None = None) -> M:
    """Return the row, set up so that its next history row names `to` as the user, and `at` as the time if given."""
    vars(row)["_history_user"] = to
    if at is not None:
        vars(row)["_history_date"] = at
    return row


def insert_history(model: type[models.Model], source: str) -> str:
    """Return the SQL that adds a history row for the update of each row in `source`.

    `source` is the name of a table or CTE with all columns of the model's table. The statement takes three named
    parameters, `history_date`, `history_user_id` and `history_change_reason`, and returns the `id` of each row.
    """
    history: Any = model.history.model  # type: ignore[attr-defined]
    columns = [field.column for field in history.tracked_fields]
    listed = ", ".join(columns)
    return (
        f"INSERT INTO {history._meta.db_table} "  # noqa: S608 - names of tables and columns, from the models
        f"({listed}, history_date, history_type, history_user_id, history_change_reason) "
        f"SELECT {listed}, %(history_date)s, '~', %(history_user_id)s, %(history_change_reason)s FROM {source} "
        "RETURNING id"
    )
