"""Asterisk's layouts: cdr_csv, cdr_custom in its sample order, and FreePBX's export. Pure."""

import re
from collections.abc import Sequence
from operator import itemgetter
from zoneinfo import ZoneInfo

from billing.calls.cells import COMMA, Unreadable
from billing.calls.layouts import ASTERISK, COLUMNS, NEEDED, Call, Layout, NamedLayout, Picker
from billing.calls.times import LocalTimes
from billing.calls.values import Numbers, Rejected, call_id_of, caller_of, leg_of, seconds_of, shown

CALLDATE = "calldate"  # what FreePBX calls the start
DID = "did"  # the number dialed from outside, if FreePBX's export has it; `dst` may be an extension then

NEW_COLUMNS = ("peeraccount", "linkedid", "sequence")
CDR_CSV = COLUMNS[ASTERISK]
CDR_CUSTOM = (
    "clid", "src", "dst", "dcontext", "channel", "dstchannel", "lastapp", "lastdata", "start", "answer", "end",
    "duration", "billsec", "disposition", "amaflags", "accountcode", "uniqueid", "userfield", "sequence",
)  # fmt: skip
ASTERISK_WIDTH = 17  # up to uniqueid
# The columns of Asterisk's rows by their number. In rows of 17 or 20, the column in uniqueid's place may be userfield.
BY_WIDTH = {
    17: CDR_CSV[:17],
    18: CDR_CSV,
    20: (*CDR_CSV[:17], *NEW_COLUMNS),
    21: (*CDR_CSV, *NEW_COLUMNS),
}
DOUBTFUL_WIDTHS = (17, 20)
UNIQUE_ID = re.compile(r"(?:\S+-)?[0-9]{9,10}\.[0-9]+\Z")
ANSWERED = "ANSWERED"
NOT_ANSWERED = frozenset({"NO ANSWER", "BUSY", "FAILED", "CONGESTION"})
READ = ("dst", "start", "billsec", "disposition", "uniqueid", "sequence", DID)


class AsteriskCalls:
    """Reads a call from the cells of one of Asterisk's rows, whatever their order in the file."""

    def __init__(self, numbers: Numbers, zone: ZoneInfo | None) -> None:
        if zone is None:
            raise Unreadable("no_zone", "Asterisk writes local times: say in which zone, like America/New_York.")
        self._times = LocalTimes(zone)
        self._numbers = numbers

    def call(
        self, src: str, dst: str, start: str, seconds: str, disposition: str, unique_id: str, sequence: str
    ) -> Call | None:
        """Return the row's call, or None if nobody answered. Without a sequence, its leg is its start.

        Raises Rejected if a cell can't be read.
        """
        if disposition != ANSWERED:
            disposition = disposition.strip().upper()
            if disposition in NOT_ANSWERED:
                return None
            if not disposition:
                raise Rejected("missing_columns", "The row has no disposition.")
            if disposition != ANSWERED:
                raise Rejected("bad_disposition", f"The disposition {shown(disposition)} is none that Asterisk writes.")
        call_id = call_id_of(unique_id)
        started_at = self._times.moment_of(start, call_id)
        return (
            call_id,
            (leg_of(sequence) if sequence else "") or started_at,
            self._numbers.number_of(dst.strip()),
            caller_of(src),
            started_at,
            seconds_of(seconds),
        )


class NamedAsteriskLayout(NamedLayout):
    """Asterisk's or FreePBX's columns, found by the names in the first line."""

    name = ASTERISK
    must_be_whole = READ

    def __init__(
        self, header: Sequence[str], *, numbers: Numbers, zone: ZoneInfo | None, delimiter: str = COMMA
    ) -> None:
        named = [name for name in header if name]
        if "start" not in header:
            header = ["start" if name == CALLDATE else name for name in header]
        extra = [name for name in ("sequence", DID) if name in header]
        super().__init__(
            (*COLUMNS[ASTERISK], *extra), header, needed=NEEDED[ASTERISK], delimiter=delimiter, numbers=numbers
        )
        self.header = named
        columns = [*NEEDED[ASTERISK], "sequence" if "sequence" in header else "uniqueid", *([DID] * (DID in extra))]
        self._cells: Picker = itemgetter(*(header.index(column) for column in columns))
        self._has_sequence = "sequence" in header
        self._asterisk = AsteriskCalls(numbers, zone)
        self.call = self._call

    def _call(self, fields: list[str]) -> Call | None:
        src, dst, start, seconds, disposition, unique_id, sequence, *did = self.picked(self._cells, fields)
        if did and did[0].strip():
            dst = did[0]
        return self._asterisk.call(
            src, dst, start, seconds, disposition, unique_id, sequence if self._has_sequence else ""
        )


class PlainAsteriskLayout(Layout):
    """Asterisk's columns in a file without names: those of cdr_csv, or of cdr_custom in its sample order."""

    name = ASTERISK
    must_be_whole = READ

    def __init__(
        self, order: Sequence[str], *, numbers: Numbers, zone: ZoneInfo | None, delimiter: str = COMMA
    ) -> None:
        super().__init__((*COLUMNS[ASTERISK], "sequence"), order, delimiter=delimiter, numbers=numbers)
        self._is_custom = tuple(order) == CDR_CUSTOM
        self._cells: dict[int, tuple[Picker, bool]] = {}
        self._asterisk = AsteriskCalls(numbers, zone)
        self.call = self._call

    def _names(self, width: int) -> Sequence[str] | None:
        if self._is_custom:
            return CDR_CUSTOM[:width] if width >= ASTERISK_WIDTH else None
        return BY_WIDTH.get(width)

    def _cells_of(self, fields: list[str]) -> tuple[Picker, bool]:
        width = len(fields)
        names = self._names(width)
        if names is None:
            if width < ASTERISK_WIDTH:
                raise Rejected("missing_columns", f"The row has {width} of {ASTERISK_WIDTH} columns.")
            raise Rejected("extra_columns", f"The row has {width} columns; Asterisk writes 17, 18, 20 or 21.")
        has_sequence = "sequence" in names
        columns = (*NEEDED[ASTERISK], "sequence" if has_sequence else "uniqueid")
        self._cells[width] = itemgetter(*(names.index(column) for column in columns)), has_sequence
        return self._cells[width]

    def _call(self, fields: list[str]) -> Call | None:
        found = self._cells.get(len(fields)) or self._cells_of(fields)
        src, dst, start, seconds, disposition, unique_id, sequence = found[0](fields)
        if len(fields) in DOUBTFUL_WIDTHS and not self._is_custom and not UNIQUE_ID.match(unique_id.strip()):
            raise Rejected("no_call_id", f"Column 17 has {shown(unique_id)}, which is no uniqueid of Asterisk's.")
        return self._asterisk.call(src, dst, start, seconds, disposition, unique_id, sequence if found[1] else "")

    def ordered(self, fields: Sequence[str]) -> list[str]:
        names = self._names(len(fields)) or (CDR_CUSTOM if self._is_custom else CDR_CSV)
        by_name = dict(zip(names, fields, strict=False))
        columns = self.columns if "sequence" in names else self.columns[:-1]  # earlier rejects lack it, too
        return [by_name.get(column, "") for column in columns]
