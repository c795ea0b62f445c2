"""The verb that imports a file of calls, from the command and from the admin alike (R25)."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import OperationalError
from psycopg.errors import LockNotAvailable

from accounts.actions import database_now
from accounts.models import User
from accounts.models.account import validate_timezone
from billing.calls.batches import batches_of, read_ahead
from billing.calls.cells import Unreadable
from billing.calls.mapping import mapping_of
from billing.calls.merging import merge
from billing.calls.reading import blocks_of
from billing.calls.values import Numbers
from billing.models import CallImport

LONGEST_NAME = 255
PERMISSION = "billing.add_callimport"
NOTHING_READ = (
    "A bill run or another import kept the accounts for too long. Nothing was imported: import the file again."
)
BUSY = "A bill run or another import kept the accounts for too long. What was read so far is in: import the file again."

PARTLY_IN = "The rows before that are in."


def import_calls(
    stream: Any,
    *,
    name: str,
    layout: str | None = None,
    by: User | None,
    zone: str | None = None,
    mapping: Mapping[str, str] | None = None,
    live: bool = True,
    now: datetime | None = None,
    progress: Callable[[int], object] | None = None,
) -> CallImport:
    """Import a binary stream of calls, compressed or not, and return what became of its rows.

    Each batch of rows is one transaction: killed at any moment and run again, the call records are the same. `layout`
    is a value of Layout, recognized by what the first lines contain unless given; a `mapping` instead says which
    column is what, like {"call_id": "Call ID"}. `zone` is that of times without an offset. A `live` feed has no call
    that goes on, or is longer than the setting CALL_LONGEST_HOURS. `progress` is told the bytes read. `by` is staff
    with the permission to add imports, otherwise PermissionDenied; None stands for who runs commands. Refused if no
    row can be read, with nothing written, and if the file breaks off: what was read before that is in, and the import
    stays unfinished.
    """
    check_permission(by)
    received: CallImport | None = None
    try:
        zone_info = checked_zone(zone) if zone else None
        numbers = Numbers(settings.PHONENUMBER_DEFAULT_REGION)
        found, batches = batches_of(
            blocks_of(stream, progress),
            layout,
            numbers=numbers,
            zone=zone_info,
            mapping=mapping_of(mapping) if mapping else None,
        )
        received = CallImport.objects.create(name=_clean(name), layout=found.name, columns=list(found.columns), by=by)
        for batch in read_ahead(batches):
            merge(batch, received.pk, now=now, live=live)
    except Unreadable as why:
        sentence = f"{why} {PARTLY_IN}" if received else str(why)
        raise ValidationError(sentence, code=why.code) from why
    except OperationalError as error:
        if received is None or not isinstance(error.__cause__, LockNotAvailable):
            raise
        if _take_back_if_empty(received):
            raise ValidationError(NOTHING_READ, code="busy") from error
        raise ValidationError(BUSY, code="busy_partly") from error
    CallImport.objects.filter(pk=received.pk).update(finished_at=database_now())
    received.refresh_from_db()
    return received


def _take_back_if_empty(received: CallImport) -> bool:
    """Delete an import of which no batch was written; return whether it was one."""
    none_yet = CallImport.objects.filter(pk=received.pk, added=0, repeated=0, skipped=0, rejected=0)
    return bool(none_yet.delete()[0])


def check_permission(by: User | None) -> None:
    """Raise PermissionDenied unless `by` is staff who may import calls, or None for who runs commands."""
    if by is not None and not (by.is_active and by.is_staff and by.has_perm(PERMISSION)):
        raise PermissionDenied("Only staff with the permission to import calls can do this.")


def checked_zone(name: str) -> ZoneInfo:
    """Return a zone by its name; refused where there is none."""
    validate_timezone(name)
    return ZoneInfo(name)


def _clean(name: str) -> str:
    return name.replace("\0", "\N{REPLACEMENT CHARACTER}")[-LONGEST_NAME:]
