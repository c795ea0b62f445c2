"""The layouts of call files: a row becomes a call, or is rejected, or is skipped as no call to bill. Pure."""

import csv
import io
from collections.abc import Callable, Iterable, Sequence
from operator import itemgetter
from zoneinfo import ZoneInfo

from accounts.csv_files import FORMULA
from billing.calls.values import (
    LocalTimes,
    Numbers,
    Rejected,
    call_id_of,
    caller_of,
    leg_of,
    leg_of_start,
    moment_of,
    seconds_of,
)

OWN = "own"
ASTERISK = "asterisk"
COLUMNS: dict[str, tuple[str, ...]] = {
    OWN: ("call_id", "to", "from", "started_at", "seconds"),
    ASTERISK: (
        "accountcode", "src", "dst", "dcontext", "clid", "channel", "dstchannel", "lastapp", "lastdata", "start",
        "answer", "end", "duration", "billsec", "disposition", "amaflags", "uniqueid", "userfield",
    ),
}  # fmt: skip
NEEDED = {OWN: COLUMNS[OWN], ASTERISK: ("src", "dst", "start", "billsec", "disposition", "uniqueid")}
ASTERISK_WIDTH = 17  # up to uniqueid
BYTE_ORDER_MARK = "\ufeff"

LEG_NAMES = ("leg", "sequence")

Call = tuple[str, str, str, str, str, int]
"""Call id, leg, called number in E.164, caller, start as PostgreSQL reads it, seconds."""


class Unreadable(Exception):
    """A file of which no row can be read, and why in one sentence."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code


class Layout:
    """One file's layout: what its rows mean, by the names in its first line or by the order of Asterisk's columns."""

    def __init__(self, name: str, header: Sequence[str] | None, *, numbers: Numbers, zone: ZoneInfo | None) -> None:
        self.name = name
        self.has_header = header is not None
        columns = [cell.strip().lower() for cell in header] if header else list(COLUMNS[name])
        missing = [column for column in NEEDED[name] if column not in columns]
        if missing:
            raise Unreadable(
                "missing_columns",
                f"The first line must name the columns {', '.join(NEEDED[name])}; it lacks {', '.join(missing)}.",
            )
        self._width = len(columns) if header else None
        self._leg = next((columns.index(leg) for leg in LEG_NAMES if leg in columns), None)
        self.columns = (*COLUMNS[name], columns[self._leg]) if self._leg is not None else COLUMNS[name]
        self._places = [columns.index(column) if column in columns else None for column in self.columns]
        self._cells = itemgetter(*(columns.index(column) for column in NEEDED[name]))
        self._numbers = numbers
        self.call: Callable[[list[str]], Call | None] = self._own_call
        if name == ASTERISK:
            if zone is None:
                raise Unreadable("no_zone", "Asterisk writes local times: say in which zone, like America/New_York.")
            self._times = LocalTimes(zone)
            self.call = self._asterisk_call

    def _own_call(self, fields: list[str]) -> Call:
        call_id, to, caller, started_at, seconds = self._picked(fields)
        return (
            call_id_of(call_id),
            self._leg_of(fields) if self._leg is not None else "",
            self._numbers.number_of(to.strip()),
            caller_of(caller),
            moment_of(started_at),
            seconds_of(seconds),
        )

    def _asterisk_call(self, fields: list[str]) -> Call | None:
        """Return the call of a row, or None where nobody answered."""
        src, dst, start, seconds, disposition, unique_id = self._picked(fields)
        if disposition.strip().upper() != "ANSWERED":
            if not disposition.strip():
                raise Rejected("missing_columns", "The row has no disposition.")
            return None
        call_id = call_id_of(unique_id)
        started_at = self._times.moment_of(start, call_id)
        leg = self._leg_of(fields) if self._leg is not None else ""
        return (
            call_id,
            leg or leg_of_start(started_at),
            self._numbers.number_of(dst.strip()),
            caller_of(src),
            started_at,
            seconds_of(seconds),
        )

    def _leg_of(self, fields: list[str]) -> str:
        return leg_of(fields[self._leg]) if self._leg is not None and self._leg < len(fields) else ""

    def _picked(self, fields: list[str]) -> tuple[str, ...]:
        if self._width and len(fields) > self._width and any(fields[self._width :]):
            raise Rejected("extra_columns", f"The row has {len(fields)} columns, and the first line {self._width}.")
        try:
            return self._cells(fields)
        except IndexError:
            wanted = self._width or ASTERISK_WIDTH
            raise Rejected("missing_columns", f"The row has {len(fields)} of {wanted} columns.") from None

    def content_of(self, line: str) -> str:
        """Return a row as it was received, with this layout's columns in their usual order."""
        try:
            fields = fields_of(line)
        except Rejected:
            return line
        ordered = [fields[place] if place is not None and place < len(fields) else "" for place in self._places]
        beyond = fields[self._width :] if self._width else []
        return written([*ordered, *beyond] if any(beyond) else ordered)


def recognised(line: str, wanted: str | None, *, numbers: Numbers, zone: ZoneInfo | None) -> Layout:
    """Return the layout of a file by its first line; Unreadable where it is not `wanted`, or none of those known."""
    try:
        cells = fields_of(line.removeprefix(BYTE_ORDER_MARK))
    except Rejected:
        cells = []
    names = {cell.strip().lower() for cell in cells}
    if wanted is None:
        if "call_id" in names:
            wanted = OWN
        elif "uniqueid" in names or len(cells) >= ASTERISK_WIDTH:
            wanted = ASTERISK
        else:
            raise Unreadable(
                "unknown_layout",
                f"The first line neither names the columns {', '.join(COLUMNS[OWN])}, nor is a row of Asterisk's.",
            )
    has_header = wanted == OWN or "uniqueid" in names
    return Layout(wanted, cells if has_header else None, numbers=numbers, zone=zone)


def fields_of(line: str) -> list[str]:
    """Return the cells of a line; rejected where its quotes don't match, so that it never swallows the next line."""
    if '"' not in line:
        return line.split(",")
    try:
        return next(csv.reader((line,), strict=True))
    except csv.Error:
        raise Rejected("bad_csv", "The row is not CSV: its quotes don't match.") from None


def written(cells: Iterable[str]) -> str:
    """Return cells as a line of CSV."""
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="").writerow(cells)
    return buffer.getvalue()


def plain(cell: str) -> str:
    """Return a cell as it was before it was defused."""
    return cell[1:] if cell[:1] == "'" and cell[1:].startswith(FORMULA) else cell
