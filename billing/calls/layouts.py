"""The layouts of call files, which turn a row into a call, reject it, or find that nobody answered. Pure."""

import re
from collections.abc import Callable, Sequence
from operator import itemgetter
from zoneinfo import ZoneInfo

from billing.calls.cells import COMMA, Unreadable, fields_of, name_of, written
from billing.calls.mapping import ColumnMapping
from billing.calls.times import LocalTimes, OffsetTimes
from billing.calls.values import (
    LOST_CHARACTER,
    Numbers,
    Rejected,
    call_id_of,
    caller_of,
    leg_of,
    seconds_of,
    shown,
)

OWN = "own"
ASTERISK = "asterisk"
MAPPING = "mapping"
COLUMNS: dict[str, tuple[str, ...]] = {
    OWN: ("call_id", "to", "from", "started_at", "seconds"),
    ASTERISK: (
        "accountcode", "src", "dst", "dcontext", "clid", "channel", "dstchannel", "lastapp", "lastdata", "start",
        "answer", "end", "duration", "billsec", "disposition", "amaflags", "uniqueid", "userfield",
    ),
}  # fmt: skip
LEG_NAMES = ("leg", "sequence")
NEEDED = {OWN: COLUMNS[OWN], ASTERISK: ("src", "dst", "start", "billsec", "disposition", "uniqueid")}
EUROPEAN_THOUSANDS = re.compile(r"[0-9]{1,3}\.[0-9]{3}\Z")

Call = tuple[str, str, str, str, str, int]
"""Call id, leg, called number in E.164, caller, start in a form that PostgreSQL reads, seconds."""
Picker = Callable[[Sequence[str]], tuple[str, ...]]
"""Picks those of a row's cells that are read."""


class Layout:
    """How the rows of one file are read. `call` returns the call in a row's cells, or None if nobody answered.

    Rejected rows are stored with the cells of `columns`. `header` has the names of all columns of the file. The first
    `start` lines are no rows.
    """

    name: str
    call: Callable[[list[str]], Call | None]
    must_be_whole: Sequence[str] = ("call_id", "to", "started_at", "seconds", "leg", "sequence")

    def __init__(
        self, columns: Sequence[str], header: Sequence[str], *, delimiter: str = COMMA, numbers: Numbers
    ) -> None:
        self.columns = tuple(columns)
        self.header = [name for name in header if name]
        self.delimiter = delimiter
        self.start = 0
        self._numbers = numbers
        self._seconds_of = seconds_of if delimiter == COMMA else _seconds_without_thousands

    def content_of(self, line: str) -> str:
        """Return a row as it was received, with its cells in the order of `columns`."""
        try:
            fields = fields_of(line, self.delimiter)
        except Rejected:
            return line
        return written(self.ordered(fields))

    def ordered(self, fields: Sequence[str]) -> list[str]:
        """Return the cells of a row in the order of `columns`; cells beyond the header's may follow."""
        raise NotImplementedError

    def check_mended(self, fields: list[str]) -> None:
        """Raise Rejected if bytes were lost in a column that must be whole."""
        for column, cell in zip(self.columns, self.ordered(fields), strict=False):
            if column in self.must_be_whole and LOST_CHARACTER in cell:
                raise Rejected("encoding", f"In the column {column}, the row is not text in UTF-8.")


class NamedLayout(Layout):
    """A layout whose columns are named in the file's first line."""

    def __init__(
        self, columns: Sequence[str], header: Sequence[str], *, needed: Sequence[str], delimiter: str, numbers: Numbers
    ) -> None:
        super().__init__(columns, header, delimiter=delimiter, numbers=numbers)
        if missing := [column for column in needed if column not in header]:
            raise Unreadable(
                "missing_columns",
                f"The first line must name the columns {', '.join(needed)}; it lacks {', '.join(missing)}."
                " For a file with other columns, use a mapping.",
            )
        for column in (*columns, *needed):
            if header.count(column) > 1:
                raise Unreadable(
                    "duplicate_columns",
                    f"The first line names the column {column} twice. Remove or rename one of them.",
                )
        self._width = len(header)
        self._places = [header.index(column) if column in header else None for column in columns]

    def picked(self, cells: Picker, fields: list[str]) -> tuple[str, ...]:
        """Return the cells that are read. Raises Rejected if there are too few cells, or more than columns."""
        if len(fields) > self._width and any(fields[self._width :]):
            raise Rejected("extra_columns", f"The row has {len(fields)} columns, and the first line {self._width}.")
        try:
            return cells(fields)
        except IndexError:
            raise Rejected("missing_columns", f"The row has {len(fields)} of {self._width} columns.") from None

    def ordered(self, fields: Sequence[str]) -> list[str]:
        ordered = [fields[place] if place is not None and place < len(fields) else "" for place in self._places]
        beyond = fields[self._width :]
        return [*ordered, *beyond] if any(beyond) else ordered


class OwnLayout(NamedLayout):
    """Our own layout: call_id, to, from, started_at, seconds, and a leg or sequence if the file has one."""

    name = OWN

    def __init__(
        self, header: Sequence[str], *, numbers: Numbers, zone: ZoneInfo | None = None, delimiter: str = COMMA
    ) -> None:
        legs = [name for name in LEG_NAMES if name in header][:1]
        needed = (*NEEDED[OWN], *legs)
        super().__init__(needed, header, needed=needed, delimiter=delimiter, numbers=numbers)
        self._cells: Picker = itemgetter(*(header.index(column) for column in needed))
        self._moment_of = (LocalTimes(zone) if zone else OffsetTimes()).moment_of
        self.call = self._call_with_leg if legs else self._call

    def _call(self, fields: list[str]) -> Call:
        call_id, to, caller, started_at, seconds = self.picked(self._cells, fields)
        call_id = call_id_of(call_id)
        return (
            call_id,
            "",
            self._numbers.number_of(to.strip()),
            caller_of(caller),
            self._moment_of(started_at, call_id),
            self._seconds_of(seconds),
        )

    def _call_with_leg(self, fields: list[str]) -> Call:
        *cells, leg = self.picked(self._cells, fields)
        call_id, to, caller, started_at, seconds = cells
        call_id = call_id_of(call_id)
        return (
            call_id,
            leg_of(leg),
            self._numbers.number_of(to.strip()),
            caller_of(caller),
            self._moment_of(started_at, call_id),
            self._seconds_of(seconds),
        )


class MappedLayout(Layout):
    """Any file whose columns are named by a mapping. Rejected rows are stored with the columns of our own layout."""

    name = MAPPING

    def __init__(
        self,
        mapping: ColumnMapping,
        header: Sequence[str],
        *,
        numbers: Numbers,
        zone: ZoneInfo | None,
        delimiter: str = COMMA,
    ) -> None:
        has_leg = "leg" in mapping.columns
        columns = (*COLUMNS[OWN], "leg") if has_leg else COLUMNS[OWN]
        super().__init__(columns, header, delimiter=delimiter, numbers=numbers)
        for column in mapping.all_columns:
            if header.count(name_of(column)) > 1:
                raise Unreadable("duplicate_columns", f"The first line names the column {column} twice.")
        self._mapping = mapping
        places = {role: mapping.place_of(column, header) for role, column in mapping.columns.items()}
        if unknown := [column for role, column in mapping.columns.items() if places[role] is None]:
            raise Unreadable("missing_columns", f"The file has no column {unknown[0]}.")
        self._places = [places.get(column) for column in columns]
        self._needed = [place for place in places.values() if place is not None]
        self._answered = None
        if mapping.answered:
            self._answered = mapping.place_of(mapping.answered[0], header)
            if self._answered is None:
                raise Unreadable("missing_columns", f"The file has no column {mapping.answered[0]}.")
            self._needed.append(self._answered)
        self._width = max(self._needed) + 1
        self._moment_of = (LocalTimes(zone) if zone else OffsetTimes()).moment_of
        self.call = self._call

    def _call(self, fields: list[str]) -> Call | None:
        if len(fields) < self._width:
            raise Rejected("missing_columns", f"The row has {len(fields)} columns, and column {self._width} is needed.")
        if self._answered is not None and self._mapping.answered:
            value = fields[self._answered].strip().casefold()
            if not value:
                raise Rejected("missing_columns", "The row does not say whether the call was answered.")
            if value not in self._mapping.answered[1]:
                return None
        call_id, to, caller, started_at, seconds, *leg = self.ordered(fields)
        call_id = call_id_of(call_id)
        return (
            call_id,
            leg_of(leg[0]) if leg else "",
            self._numbers.number_of(to.strip()),
            caller_of(caller),
            self._moment_of(started_at, call_id),
            self._seconds_of(seconds),
        )

    def ordered(self, fields: Sequence[str]) -> list[str]:
        return [fields[place] if place is not None and place < len(fields) else "" for place in self._places]


def _seconds_without_thousands(text: str) -> int:
    """Return the seconds in a file not delimited by commas. Raises Rejected if a point may separate thousands."""
    if EUROPEAN_THOUSANDS.match(text.strip()):
        raise Rejected("bad_seconds", f"The seconds {shown(text)} may be thousands or a fraction. Write digits alone.")
    return seconds_of(text)
