"""Imports a file of calls, for the command and for the admin (R25)."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import OperationalError
from psycopg.errors import LockNotAvailable

from accounts.models import User
from accounts.models.account import validate_timezone
from accounts.roles import require_staff
from billing.calls.batches import batches_of, read_ahead
from billing.calls.cells import Unreadable
from billing.calls.mapping import mapping_of
from billing.calls.merging import ALONE, Counts, Transaction, merge_calls, merge_rejects
from billing.calls.reading import blocks_of
from billing.calls.staging import Staged, staging
from billing.calls.values import Numbers
from billing.models import CallImport
from core.clock import database_now

LONGEST_NAME = 255
PERMISSION = "billing.add_callimport"
TAKE_VOIDED = "billing.void_callrecord"
NOTHING_READ = (
    "A bill run or another import kept the accounts for too long. Nothing was imported: import the file again."
)
BUSY = "A bill run or another import kept the accounts too long. What was written so far is in: import the file again."


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
    take_voided: bool = False,
    within: Transaction = ALONE,
    progress: Callable[[int], object] | None = None,
    written: Callable[[int, int], object] | None = None,
) -> CallImport:
    """Import a binary stream of calls, compressed or not, and return the import with its number of rows by fate.

    The file is first read to its end, so that its conflicts are known before any row is written. Each part is then
    written in one transaction. If the import is killed at any moment and run again, the call records are the same.

    - `layout`: a value of Layout; by default it is recognized by the file's first lines.
    - `mapping`: instead of a layout, which column is what, like {"call_id": "Call ID"}.
    - `by`: a member of staff with the permission to import calls, and to void calls for `take_voided`; None for
      someone who runs commands.
    - `zone`: the time zone of times without an offset.
    - `live`: reject calls that have not ended, or are longer than the setting CALL_LONGEST_HOURS.
    - `now`: by default, the database's clock.
    - `take_voided`: take rows even if their content was voided or dismissed.
    - `within`: opens each transaction.
    - `progress`: called with the number of bytes read so far.
    - `written`: called with the number of parts written so far, and of all parts.

    Raises PermissionDenied without these permissions. Raises ValidationError, with nothing written, if no row can be
    read or the file can't be read to its end; and with the code `busy_partly` if a lock was not granted after parts
    were written.
    """
    check_permission(by, take_voided=take_voided)
    received: CallImport | None = None
    try:
        zone_info = checked_zone(zone) if zone else None
        found, batches = batches_of(
            blocks_of(stream, progress),
            layout,
            numbers=Numbers(settings.PHONENUMBER_DEFAULT_REGION),
            zone=zone_info,
            mapping=mapping_of(mapping) if mapping else None,
        )
        with staging(found) as staged:
            for batch in read_ahead(batches):
                staged.add(batch)
            staged.finish(take_voided=take_voided)
            with within():
                received = CallImport.objects.create(
                    name=_clean(name), layout=found.name, columns=list(found.columns), by=by, took_voided=take_voided
                )
                Counts(not_answered=staged.not_answered, not_a_call=staged.not_a_call).write(received.pk)
            options = {"take_voided": take_voided, "live": live, "now": now, "within": within}
            _merge(staged, received.pk, options, written)
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


def _merge(
    staged: Staged, call_import: int, options: dict[str, Any], written: Callable[[int, int], object] | None
) -> None:
    """Merge a staged file part by part."""
    for part in staged.parts("staged_reject"):
        merge_rejects(part, call_import, within=options["within"])
    parts = list(staged.parts("staged_call"))
    for done, part in enumerate(parts, 1):
        merge_calls(staged, part, call_import, **options)
        if written:
            written(done, len(parts))


def _take_back_if_empty(received: CallImport) -> bool:
    """Delete the import if none of its parts was written, and return whether it was deleted."""
    counted = ("added", "zero", "repeated", "rejected", "set_aside", "voided")
    none_yet = CallImport.objects.filter(pk=received.pk, **dict.fromkeys(counted, 0))
    return bool(none_yet.delete()[0])


def check_permission(by: User | None, *, take_voided: bool = False) -> None:
    """Raise PermissionDenied unless `by` is staff who may import calls, or None for someone who runs commands.

    `take_voided` also needs the permission to void calls.
    """
    if by is None:
        return
    require_staff(by, PERMISSION, "Only staff with the permission to import calls can do this.")
    if take_voided:
        require_staff(by, TAKE_VOIDED, "Only staff with the permission to void calls can take voided rows.")


def checked_zone(name: str) -> ZoneInfo:
    """Return the time zone of this name. Raises ValidationError if there is none."""
    validate_timezone(name)
    return ZoneInfo(name)


def _clean(name: str) -> str:
    return name.replace("\0", "\N{REPLACEMENT CHARACTER}")[-LONGEST_NAME:]
