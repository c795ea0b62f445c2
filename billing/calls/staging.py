"""Holds a whole file in temporary tables: nothing is stored before it is read to its end and its conflicts are known.

So batches, kills and reruns give the records of one undisturbed import (billing-policy.md, 17). The rows as received
are kept in a temporary file, because some will be rejected, and memory must not grow with the file.
"""

import pickle
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from tempfile import TemporaryFile
from typing import IO

from django.db import DatabaseError, transaction

from billing.calls.batches import Batch, Reject
from billing.calls.cells import fields_of
from billing.calls.conflicts import find_conflicts
from billing.calls.layouts import Layout
from billing.calls.sql import column, copy, rows, run
from billing.calls.values import LONGEST_ID, Rejected
from core.migration_guards import local_day_of

ROWS = 100_000  # in a part; while it is written, its accounts are locked
WORK_MEMORY = "SET LOCAL work_mem = '64MB'"
TABLES = """
    CREATE TEMPORARY TABLE staged_call (
        line bigint, call_id text, leg text, number text, caller text, started_at timestamptz, seconds integer);
    CREATE TEMPORARY TABLE staged_reject (
        line bigint, code text, reason text, content text, call_id text, leg text);
    CREATE TEMPORARY TABLE file_verdict (line bigint PRIMARY KEY, verdict text);
    CREATE TEMPORARY TABLE called_number (
        id bigint, number text, is_toll_free boolean, since timestamptz);
    CREATE TEMPORARY TABLE called_period (number text, account_id bigint, period tstzrange, zone text);
    CREATE TEMPORARY TABLE part_call (
        line bigint, call_id text, leg text, number text, caller text, started_at timestamptz, seconds integer,
        number_id bigint, is_toll_free boolean, since timestamptz, account_id bigint, day date);
    CREATE TEMPORARY TABLE fated_call (line bigint PRIMARY KEY, fate text);
    CREATE TEMPORARY TABLE new_reject (
        line bigint, code text, reason text, content text, call_id text, leg text);
"""
EMPTY = """
    TRUNCATE staged_call, staged_reject, file_verdict, called_number, called_period, part_call, fated_call, new_reject
"""
# Each number of the file once, and since when it has had an account, which may be an earlier one.
MATCH_STAGED = """
    INSERT INTO called_number
    SELECT p.id, p.number, p.kind = 'toll_free', least(owner.created_at, (
        SELECT min(least(holder.created_at, lower(n.period)))
        FROM accounts_numberassignment n JOIN accounts_account holder ON holder.id = n.account_id
        WHERE n.number_id = p.id))
    FROM accounts_phonenumber p JOIN accounts_account owner ON owner.id = p.account_id
    WHERE p.number IN (SELECT number FROM staged_call WHERE seconds > 0)
"""
# Who held the numbers, and when. Assignments are only ever added, and ended once, so two counts show any change.
ASSIGNMENTS = "SELECT count(*), count(upper(period)) FROM accounts_numberassignment"
PERIODS = """
    INSERT INTO called_period SELECT c.number, n.account_id, n.period, a.timezone
    FROM called_number c JOIN accounts_numberassignment n ON n.number_id = c.id
    JOIN accounts_account a ON a.id = n.account_id
"""
# The day of a call is that of its account's time zone, which may be corrected before the account is locked.
ANOTHER_ZONE = """
    SELECT EXISTS (
        SELECT FROM called_period p JOIN accounts_account a ON a.id = p.account_id WHERE a.timezone <> p.zone)
"""
# Without a merge join: sorting the rows by number, and back, would take longer than all the rest. Nobody can say on
# which day a call started for an account in an unknown time zone: such calls are stored, and matched once the zone is
# corrected.
PART = f"""
    SET LOCAL enable_mergejoin = off;
    INSERT INTO part_call
    SELECT s.line, s.call_id, s.leg, s.number, s.caller, s.started_at, s.seconds, c.id, c.is_toll_free, c.since,
        CASE WHEN z.name IS NOT NULL THEN a.account_id END, {local_day_of("s.started_at", "z")}
    FROM staged_call s LEFT JOIN called_number c ON c.number = s.number
    LEFT JOIN called_period a ON a.number = s.number AND a.period @> s.started_at
    LEFT JOIN accounts_timezone z ON z.name = a.zone
    WHERE {{within}} ORDER BY s.line;
    SET LOCAL enable_mergejoin TO DEFAULT
"""  # noqa: S608 - our own text
STAGED_COLUMNS = "staged_call (line, call_id, leg, number, caller, started_at, seconds)"
REJECT_COLUMNS = "(line, code, reason, content, call_id, leg)"
ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r", "\0": "\N{REPLACEMENT CHARACTER}"})
CALL_IDS = ("call_id", "uniqueid")
LEGS = ("leg", "sequence")

Part = tuple[int, int]
"""Pages of a temporary table: the first, and the one after the last."""


@dataclass
class Staged:
    """A file that was read to its end, in this connection's temporary tables."""

    layout: Layout
    spool: IO[bytes]
    not_answered: int = 0
    not_a_call: int = 0
    calls: int = 0
    rejects: int = 0
    _places: list[tuple[int, int]] = field(default_factory=list)  # each batch's first line, and offset in the spool
    _loaded: tuple[int, list[str]] = (-1, [])
    _assignments: tuple[int, ...] = ()
    _has_taken: bool = False

    def add(self, batch: Batch) -> None:
        """Stage the next batch."""
        copy(STAGED_COLUMNS, batch.staged)
        if batch.rejects:
            copy(f"staged_reject {REJECT_COLUMNS}", (self.reject_row(reject) for reject in batch.rejects))
        self._places.append((batch.first, self.spool.tell()))
        pickle.dump(batch.lines, self.spool, pickle.HIGHEST_PROTOCOL)
        self.calls += len(batch.staged)
        self.rejects += len(batch.rejects)
        self.not_answered += batch.not_answered
        self.not_a_call += batch.not_a_call

    def finish(self, *, take_voided: bool) -> None:
        """Find the conflicts within the file, and the numbers that were called."""
        run("ANALYZE staged_call (number)")
        with transaction.atomic():
            run(WORK_MEMORY)
            run(MATCH_STAGED)
            self.look_at_assignments()
            find_conflicts(take_voided=take_voided)
        run("ANALYZE called_number (number), called_period (number), file_verdict (line)")

    def look_at_assignments(self) -> None:
        """Read who held the called numbers, when, and in which time zone."""
        if self._assignments:
            run("TRUNCATE called_period")
        self._assignments = rows(ASSIGNMENTS)[0]
        run(PERIODS)

    def is_up_to_date(self) -> bool:
        """Return whether no assignment, and no time zone of an account, has changed since `look_at_assignments`."""
        return bool(rows(ASSIGNMENTS)[0] == self._assignments and not column(ANOTHER_ZONE)[0])

    def take(self, part: Part) -> None:
        """Fill `part_call` with a part of the calls, each with its number, and its account and day if it has one."""
        if self._has_taken:
            run("TRUNCATE part_call, fated_call")
        self._has_taken = True
        run(PART.format(within=within(part, "s")))

    def parts(self, table: str) -> Iterator[Part]:
        """Yield the parts of `staged_call` or `staged_reject`, of about ROWS rows each, in the order of the file."""
        count = self.calls if table == "staged_call" else self.rejects
        if not count:
            return
        (pages,) = column("SELECT pg_relation_size(%s) / current_setting('block_size')::bigint", [table])
        step = max(1, pages * ROWS // count)
        for first in range(0, pages, step):
            yield first, min(first + step, pages)

    def content(self, line: int) -> str:
        """Return the row on a line as it was received."""
        place = bisect_right(self._places, (line, 1 << 62)) - 1
        first, offset = self._places[place]
        if self._loaded[0] != first:
            self.spool.seek(offset)
            self._loaded = (first, pickle.load(self.spool))
        return self.layout.content_of(self._loaded[1][line - first])

    def reject_row(self, reject: Reject) -> str:
        """Return a reject in the text form of COPY, with its call id and leg if they can be read."""
        line, code, reason, content = reject
        call_id, leg = self._named(content)
        cells = (reason[:200], content, call_id, leg)
        return "\t".join((str(line), code, *(cell.translate(ESCAPES) for cell in cells))) + "\n"

    def _named(self, content: str) -> tuple[str, str]:
        try:
            cells = dict(zip(self.layout.columns, fields_of(content), strict=False))
        except Rejected:
            return "", ""
        return _first(cells, CALL_IDS), _first(cells, LEGS)


def _first(cells: dict[str, str], names: Iterable[str]) -> str:
    found = next((cells[name].strip() for name in names if name in cells), "")
    return found if len(found) <= LONGEST_ID else ""


@contextmanager
def staging(layout: Layout) -> Iterator[Staged]:
    """Provide empty temporary tables for one file, and empty them again at the end."""
    [are_there] = column("SELECT to_regclass('pg_temp.staged_call') IS NOT NULL")
    run(EMPTY if are_there else TABLES)
    with TemporaryFile() as spool:
        yield Staged(layout, spool)
        try:
            run(EMPTY)
        except DatabaseError:  # pragma: no cover - the next import empties them
            return


def within(part: Part, row: str) -> str:
    """Return the condition that a staged row is in a part."""
    first, end = part
    return f"{row}.ctid >= '({first},0)'::tid AND {row}.ctid < '({end},0)'::tid"
