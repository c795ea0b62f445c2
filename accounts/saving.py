"""What the actions share by which staff save a row in the back office."""

from typing import TypeVar

from django.contrib.auth import get_permission_codename
from django.db import models, transaction

from accounts.models import User
from accounts.models.account import AccountQuerySet
from accounts.roles import NOT_YOURS, require_staff
from core.history import attributed

M = TypeVar("M", bound=models.Model)


def require_saver(row: models.Model, by: User) -> None:
    """Raise PermissionDenied unless the user is active staff who may add the row, or change it if it is stored."""
    options = row._meta
    codename = get_permission_codename("change" if row.pk else "add", options)
    require_staff(by, f"{options.app_label}.{codename}", NOT_YOURS)


@transaction.atomic
def save_under_locks(row: M, *, by: User, accounts: AccountQuerySet) -> M:
    """Save the new or changed row under the locks of these accounts, and return it.

    Raises what `require_saver` raises, and ValidationError if the row is not valid.
    """
    require_saver(row, by)
    list(accounts.locked())
    row.full_clean()
    attributed(row, to=by).save()
    return row
