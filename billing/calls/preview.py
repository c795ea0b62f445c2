"""Shows the first rows of a file as an import would read them, and writes nothing."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError

from accounts.models import PhoneNumber, User
from billing.calls.batches import Batch, opened
from billing.calls.cells import Unreadable
from billing.calls.fates import REASONS
from billing.calls.importing import check_permission, checked_zone
from billing.calls.layouts import Layout
from billing.calls.mapping import mapping_of
from billing.calls.reading import Block, blocks_of
from billing.calls.values import Numbers

ROWS = 10
SHOWN = 200


@dataclass
class PreviewedRow:
    """A row: its line number, its text, and what an import would make of it.

    `call` has id, leg, number, caller, start and seconds, and is empty if the row is not a call.
    """

    line: int
    text: str
    told: str
    call: list[str]


def preview_calls(
    stream: Any, *, layout: str | None, by: User | None, zone: str | None, mapping: Mapping[str, str] | None
) -> tuple[str, list[PreviewedRow]]:
    """Return the name of a file's layout, and its first ten rows. Raises what `import_calls` raises."""
    check_permission(by)
    try:
        found, blocks = opened(
            blocks_of(stream),
            layout,
            numbers=Numbers(settings.PHONENUMBER_DEFAULT_REGION),
            zone=checked_zone(zone) if zone else None,
            mapping=mapping_of(mapping) if mapping else None,
        )
        rows = [_previewed(found, batch) for batch in islice(_single(found, blocks), ROWS)]
    except Unreadable as why:
        raise ValidationError(str(why), code=why.code) from why
    _look_up_numbers(rows)
    return found.name, rows


def _single(layout: Layout, blocks: Any) -> Any:
    """Yield batches of one row each."""
    number = 0
    for block in blocks:
        for place, line in enumerate(block.lines):
            number += 1
            if number <= layout.start:
                continue
            batch = Batch(layout, first=number)
            bad = {0: block.bad[place]} if place in block.bad else {}
            mended = {0: block.mended[place]} if place in block.mended else {}
            batch.take(Block([line], len(line), bad, mended))
            yield batch


def _previewed(layout: Layout, batch: Batch) -> PreviewedRow:
    call: list[str] = []
    if batch.rejects:
        told = f"Rejected: {batch.rejects[0][2]}"
    elif batch.not_answered:
        told = "Not answered"
    elif batch.not_a_call:
        told = "No call"
    else:
        told = "A call"
        call = batch.staged[0].replace("\\\\", "\\").rstrip("\n").split("\t")[1:]
    return PreviewedRow(batch.first, batch.lines[0][:SHOWN], told, call)


def _look_up_numbers(rows: list[PreviewedRow]) -> None:
    """Mark calls to numbers that no account has. Only an import finds out who held a number when the call started."""
    called = {row.call[2] for row in rows if row.call}
    known = {str(number) for number in PhoneNumber.objects.filter(number__in=called).values_list("number", flat=True)}
    for row in rows:
        if row.call and row.call[2] not in known:
            row.told = f"Rejected: {REASONS['unknown_number']}"
