"""Helpers that make rows of call files in either layout, import them, and return what became of them."""

import csv
import io
from collections.abc import Iterable
from typing import Any
from zoneinfo import ZoneInfo

from billing.calls.batches import Batch, batches_of
from billing.calls.importing import import_calls
from billing.calls.layouts import COLUMNS
from billing.calls.reading import blocks_of
from billing.calls.values import Numbers
from billing.models import CallImport, CallRecord, RejectedCall

NUMBER = "+18005550100"
HEADER = "call_id,to,from,started_at,seconds"
NOON = "2026-03-20T12:00:00-04:00"
ZONE = ZoneInfo("America/New_York")


def row(call_id: str, *, to: str = NUMBER, caller: str = "+12125550111", at: str = NOON, seconds: object = 61) -> str:
    return f"{call_id},{to},{caller},{at},{seconds}"


def asterisk_row(unique_id: str, *, start: str = "2026-03-20 12:00:00", **other: object) -> str:
    """Return a row as Asterisk's cdr_csv writes it, with all text in quotes."""
    cells = dict.fromkeys(COLUMNS["asterisk"], "")
    cells |= {"src": "2125550111", "dst": "18005550100", "dcontext": "from-trunk", "channel": "PJSIP/t-1"}
    cells |= {"clid": '"Ann ""the"" Caller, Inc." <2125550111>', "lastapp": "Dial", "lastdata": "PJSIP/a,30"}
    cells |= {"start": start, "answer": start, "end": start, "duration": 70, "billsec": 61, "disposition": "ANSWERED"}
    cells |= {"amaflags": "DOCUMENTATION", "uniqueid": unique_id} | other
    buffer = io.StringIO()
    csv.writer(buffer, quoting=csv.QUOTE_NONNUMERIC, lineterminator="").writerow(cells.values())
    return buffer.getvalue()


def file_of(rows: Iterable[str], *, header: str | None = HEADER) -> bytes:
    return "\n".join([*([header] if header else []), *rows, ""]).encode()


def imported(content: bytes | Iterable[str], **options: Any) -> CallImport:
    """Import a file, or rows in our layout, with `import_calls`."""
    data = content if isinstance(content, bytes) else file_of(content)
    return import_calls(io.BytesIO(data), **{"name": "calls.csv", "by": None, **options})


def counts(received: CallImport) -> tuple[int, int, int, int, int]:
    """Return the numbers of rows added, unmatched, repeated, not answered and rejected."""
    return received.added, received.unmatched, received.repeated, received.not_answered, received.rejected


def rejects(received: CallImport) -> list[tuple[int, str]]:
    """Return the line and code of each reject."""
    return list(RejectedCall.objects.filter(call_import=received).order_by("line").values_list("line", "code"))


def table() -> list[tuple[Any, ...]]:
    """Return the content of all call records, without their keys and imports."""
    columns = ("call_id", "number", "caller", "started_at", "seconds", "minutes", "is_toll_free", "account_id", "day")
    return list(CallRecord.objects.order_by("call_id").values_list(*columns))


def batch_of(content: bytes, wanted: str | None = None, *, zone: ZoneInfo | None = ZONE) -> Batch:
    """Return the only batch of a short file, read without a database."""
    _, batches = batches_of(blocks_of(io.BytesIO(content)), wanted, numbers=Numbers("US"), zone=zone)
    (batch,) = batches
    return batch


def ids(batch: Batch) -> list[str]:
    return [line.split("\t")[1] for line in batch.staged]


def legs(batch: Batch) -> list[str]:
    return [line.split("\t")[2] for line in batch.staged]
