"""The verb that imports a file of calls, from the command and from the admin alike (R25)."""

from collections.abc import Callable
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
from billing.calls.layouts import Unreadable
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


def import_calls(
    stream: Any,
    *,
    name: str,
    layout: str | None = None,
    by: User | None,
    zone: str | None = None,
    now: datetime | None = None,
    progress: Callable[[int], object] | None = None,
) -> CallImport:
    """Import a binary stream of calls, gzipped or not, and return what became of its rows.

    Each batch of rows is one transaction: killed at any moment and run again, the call records are the same. `layout`
    is a value of Layout, told by the first line unless given; `zone` is that of Asterisk's times. `progress` is told
    the bytes read. `by` is staff with the permission to add imports, else PermissionDenied; None stands for who runs
    commands. Refused where no row can be read, with nothing written, and where the file breaks off: what was read
    before that is in, and the import stays unfinished.
    """
    if by is not None and not (by.is_active and by.is_staff and by.has_perm(PERMISSION)):
        raise PermissionDenied("Only staff with the permission to import calls can do this.")
    received: CallImport | None = None
    try:
        zone_info = checked_zone(zone) if zone else None
        numbers = Numbers(settings.PHONENUMBER_DEFAULT_REGION)
        found, batches = batches_of(blocks_of(stream, progress), layout, numbers=numbers, zone=zone_info)
        received = CallImport.objects.create(name=_clean(name), layout=found.name, by=by)
        for batch in read_ahead(batches):
            merge(batch, received.pk, now=now)
    except Unreadable as why:
        raise ValidationError(str(why), code=why.code) from why
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


def checked_zone(name: str) -> ZoneInfo:
    """Return a zone by its name; refused where there is none."""
    validate_timezone(name)
    return ZoneInfo(name)


def _clean(name: str) -> str:
    return name.replace("\0", "\N{REPLACEMENT CHARACTER}")[-LONGEST_NAME:]
