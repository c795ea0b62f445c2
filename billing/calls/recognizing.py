"""Recognizes the layout of a file by the content of its first lines, or says what the file is instead. Pure."""

import re
from collections.abc import Iterable, Iterator, Sequence
from zoneinfo import ZoneInfo

from billing.calls.asterisk import (
    ANSWERED,
    ASTERISK_WIDTH,
    BY_WIDTH,
    CALLDATE,
    CDR_CSV,
    CDR_CUSTOM,
    DOUBTFUL_WIDTHS,
    NEW_COLUMNS,
    NOT_ANSWERED,
    UNIQUE_ID,
    NamedAsteriskLayout,
    PlainAsteriskLayout,
)
from billing.calls.cells import (
    BYTE_ORDER_MARK,
    COMMA,
    DELIMITERS,
    SEPARATOR_LINE,
    Unreadable,
    is_blank,
    loose_fields_of,
    names_of,
)
from billing.calls.foreign import kind_of, system_by_names, system_by_row
from billing.calls.layouts import ASTERISK, COLUMNS, NEEDED, OWN, Layout, MappedLayout, OwnLayout
from billing.calls.mapping import ColumnMapping
from billing.calls.values import Numbers, shown

HEAD = 20  # the first call, or the names of the columns, must be within this many lines
TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[ T][0-9]{2}:[0-9]{2}:[0-9]{2}")
WHOLE_NUMBER = re.compile(r"[0-9]+(?:\.[0-9]+)?\Z")
NO_UNIQUE_ID = (
    "This looks like Asterisk's CSV without uniqueid, so nothing tells one call from another. Switch on loguniqueid in"
    " cdr.conf; the calls from then on can be imported."
)
USE_A_MAPPING = "Say which column is what with a mapping."
MOST_NAMED = 8
WIDTHS_WITHOUT_ID = {16: CDR_CSV[:16], 19: (*CDR_CSV[:16], *NEW_COLUMNS)}


def recognized(
    lines: Sequence[str],
    wanted: str | None,
    *,
    numbers: Numbers,
    zone: ZoneInfo | None,
    mapping: ColumnMapping | None = None,
) -> Layout:
    """Return the layout of a file by its first lines. Raises Unreadable if it is unknown, or not the one `wanted`.

    A `mapping` says which column is what, whatever the file looks like otherwise.
    """
    head = [(place, line.lstrip(BYTE_ORDER_MARK)) for place, line in enumerate(lines[:HEAD]) if not is_blank(line)]
    if not head:
        raise Unreadable("empty_file", "The file is empty.")
    first, forced = 0, None
    if separator := SEPARATOR_LINE.match(head[0][1].strip()):
        first, forced = head[0][0] + 1, separator[1]
        head = head[1:]
        if not head:
            raise Unreadable("empty_file", "The file is empty.")
    found = _Search(head, forced, numbers=numbers, zone=zone)
    layout = found.mapped(mapping) if mapping else found.known(wanted)
    layout.start = max(layout.start, first)
    return layout


class _Search:
    """The first lines of a file that are not blank, with their indexes, and the delimiters that may split them."""

    def __init__(
        self, head: Sequence[tuple[int, str]], delimiter: str | None, *, numbers: Numbers, zone: ZoneInfo | None
    ) -> None:
        self.head = head
        self.delimiters = (delimiter,) if delimiter else DELIMITERS
        self.numbers = numbers
        self.zone = zone

    def known(self, wanted: str | None) -> Layout:
        """Return the layout that a line shows. Raises Unreadable if none does, or it is not the one `wanted`."""
        refusal = None
        for place, delimiter, cells in self._split():
            names = names_of(cells)
            try:
                layout = self._by_names(names, delimiter, wanted)
                if layout is not None:
                    layout.start = place + 1
                    return layout
                layout = self._by_content(cells, delimiter, wanted)
            except Unreadable as why:
                if why.code in ("no_zone", "missing_columns", "duplicate_columns"):
                    raise
                refusal = refusal or why
                continue
            if layout is not None:
                return layout
        raise refusal or self._unknown(wanted)

    def mapped(self, mapping: ColumnMapping) -> Layout:
        """Return the layout that a mapping gives the file. Its names are in the first line that has all of them."""
        refusal = None
        for place, delimiter, cells in self._split():
            names = names_of(cells)
            if mapping.is_by_number and not any(column in names for column in mapping.all_columns):
                names = []
            try:
                layout = MappedLayout(mapping, names, numbers=self.numbers, zone=self.zone, delimiter=delimiter)
            except Unreadable as why:
                refusal = refusal or why
                continue
            if names:
                layout.start = place + 1
            elif not any(letter.isdigit() for letter in "".join(cells)):
                layout.start = place + 1  # column names, although the mapping has numbers
            return layout
        raise refusal or self._unknown(None)

    def _split(self) -> Iterator[tuple[int, str, list[str]]]:
        """Yield each line's index, delimiter and cells, split by the delimiter that makes the most cells.

        Lines of a single cell come last.
        """
        single = []
        for place, line in self.head:
            ways = [(delimiter, loose_fields_of(line, delimiter)) for delimiter in self.delimiters]
            delimiter, cells = max(ways, key=lambda way: len(way[1]))
            if len(cells) > 1:
                yield place, delimiter, cells
            else:
                single.append((place, COMMA, cells))
        yield from single

    def _by_names(self, names: Sequence[str], delimiter: str, wanted: str | None) -> Layout | None:
        if wanted != ASTERISK and "call_id" in names:
            if missing_from(names, NEEDED[OWN]) and (system := system_by_names(names)):
                raise Unreadable("foreign", system.sentence)
            return OwnLayout(names, numbers=self.numbers, zone=self.zone, delimiter=delimiter)
        if wanted == OWN:
            return None
        start = CALLDATE if CALLDATE in names else "start"
        rest = missing_from(names, ("dst", start, "billsec", "disposition"))
        if "uniqueid" in names:
            if rest and (system := system_by_names(names)):
                raise Unreadable("foreign", system.sentence)
            return NamedAsteriskLayout(names, numbers=self.numbers, zone=self.zone, delimiter=delimiter)
        if not rest:
            raise Unreadable("no_unique_id", NO_UNIQUE_ID)
        return None

    def _by_content(self, cells: Sequence[str], delimiter: str, wanted: str | None) -> Layout | None:
        """Return Asterisk's layout if the cells are one of its rows, or None. Raises Unreadable for other systems."""
        if wanted != OWN and (order := self._asterisk_order(cells)):
            return PlainAsteriskLayout(order, numbers=self.numbers, zone=self.zone, delimiter=delimiter)
        if system := system_by_names(names_of(cells)) or system_by_row(cells):
            raise Unreadable("foreign", system.sentence)
        return None

    def _asterisk_order(self, cells: Sequence[str]) -> Sequence[str] | None:
        width = len(cells)
        if width in WIDTHS_WITHOUT_ID and is_asterisk(cells, WIDTHS_WITHOUT_ID[width]):
            raise Unreadable("no_unique_id", NO_UNIQUE_ID)
        if width in BY_WIDTH and is_asterisk(cells, BY_WIDTH[width]):
            unique_id = cells[ASTERISK_WIDTH - 1].strip()
            if (width in DOUBTFUL_WIDTHS and not UNIQUE_ID.match(unique_id)) or not unique_id:
                raise Unreadable("no_unique_id", NO_UNIQUE_ID)
            return CDR_CSV
        if width >= ASTERISK_WIDTH and is_asterisk(cells, CDR_CUSTOM) and cells[CDR_CUSTOM.index("uniqueid")].strip():
            return CDR_CUSTOM
        return None

    def _unknown(self, wanted: str | None) -> Unreadable:
        place, _, cells = next(self._split())
        line = dict(self.head)[place]
        if sentence := kind_of(self.head[0][1]):
            return Unreadable("not_calls", sentence)
        if wanted == OWN:
            lacking = ", ".join(missing_from(names_of(cells), NEEDED[OWN]))
            needed = ", ".join(NEEDED[OWN])
            return Unreadable("missing_columns", f"The first line must name the columns {needed}; it lacks {lacking}.")
        own = ", ".join(COLUMNS[OWN])
        told = f"The first line neither names the columns {own}, nor is a row of Asterisk's."
        filled = [cell.strip() for cell in cells if cell.strip()]
        if len(filled) > 2 and not any(letter.isdigit() for letter in line):
            more = ", …" if len(filled) > MOST_NAMED else ""
            told += f" It names {', '.join(filled[:MOST_NAMED])[:120]}{more}."
        return Unreadable("unknown_layout", f"{told} {USE_A_MAPPING}")


def is_asterisk(cells: Sequence[str], order: Sequence[str]) -> bool:
    """Whether a row has what Asterisk's rows have: times, seconds and a disposition, each in its place.

    Raises Unreadable if only the disposition doesn't fit, because then something else wrote the row.
    """
    row = dict(zip(order, (cell.strip() for cell in cells), strict=False))
    if not TIME.match(row["start"]) or any(row[name] and not TIME.match(row[name]) for name in ("answer", "end")):
        return False
    if not all(WHOLE_NUMBER.match(row[name]) for name in ("duration", "billsec")):
        return False
    if row["disposition"].upper() in (ANSWERED, *NOT_ANSWERED):
        return True
    if system := system_by_row(cells):
        raise Unreadable("foreign", system.sentence)
    known = ", ".join((ANSWERED, *sorted(NOT_ANSWERED)))
    raise Unreadable(
        "bad_disposition",
        f"This looks like Asterisk's CSV, but says {shown(row['disposition'])} instead of {known}. {USE_A_MAPPING}",
    )


def missing_from(names: Iterable[str], needed: Sequence[str]) -> list[str]:
    """Return the needed names that are missing."""
    there = set(names)
    return [name for name in needed if name not in there]
