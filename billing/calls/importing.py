"""The verb that imports a file of calls, from the command and from the admin alike (R25)."""

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
    """Import a binary stream of calls, compressed or not, and return what became of its rows.

    The file is read to its end first, so that its conflicts are known before its first row is written. Each part of it
    is then one transaction: killed at any moment and run again, the call records are the same. `layout` is a value of
    Layout, recognized by what the first lines contain unless given; a `mapping` instead says which column is what, like
    {"call_id": "Call ID"}. `zone` is that of times without an offset. A `live` feed has no call that goes on, or is
    longer than the setting CALL_LONGEST_HOURS. `take_voided` takes rows even if their content was voided or dismissed.
    `within` opens each transaction. `progress` is told the bytes read, and `written` the parts written and all. `by` is
    staff with the permission to add imports, and to void for `take_voided`, otherwise PermissionDenied; None stands for
    who runs commands. Refused if no row can be read, or not to the file's end, with nothing written.
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
    staged: Staged, received_in: int, options: dict[str, Any], written: Callable[[int, int], object] | None
) -> None:
    """Merge a staged file part by part."""
    for part in staged.parts("staged_reject"):
        merge_rejects(part, received_in, within=options["within"])
    parts = list(staged.parts("staged_call"))
    for done, part in enumerate(parts, 1):
        merge_calls(staged, part, received_in, **options)
        if written:
            written(done, len(parts))


def _take_back_if_empty(received: CallImport) -> bool:
    """Delete an import of which no part was written; return whether it was one."""
    counted = ("added", "zero", "repeated", "rejected", "set_aside", "voided")
    none_yet = CallImport.objects.filter(pk=received.pk, **dict.fromkeys(counted, 0))
    return bool(none_yet.delete()[0])


def check_permission(by: User | None, *, take_voided: bool = False) -> None:
    """Raise PermissionDenied unless `by` is staff who may import calls, or None for who runs commands.

    To `take_voided` needs the permission to void as well.
    """
    if by is None:
        return
    require_staff(by, PERMISSION, "Only staff with the permission to import calls can do this.")
    if take_voided:
        require_staff(by, TAKE_VOIDED, "Only staff with the permission to void calls can take voided rows.")


def checked_zone(name: str) -> ZoneInfo:
    """Return a zone by its name; refused where there is none."""
    validate_timezone(name)
    return ZoneInfo(name)


def _clean(name: str) -> str:
    return name.replace("\0", "\N{REPLACEMENT CHARACTER}")[-LONGEST_NAME:]
