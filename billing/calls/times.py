"""Reads when a call started: times may be written in many ways, but only in those that have one meaning. Pure."""

import re
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from zoneinfo import ZoneInfo

from billing.calls.values import Rejected, shown

FARTHEST = timedelta(hours=15)  # offsets must be smaller; no place has one this large
MOST_REMEMBERED = 100_000
CREATED_AT = re.compile(r"(?:^|-)([0-9]{9,10})\.[0-9]+\Z")
NEAR = 900  # seconds
EXAMPLE = "like 2026-03-05T10:00:00-05:00"

SECONDS_SINCE_1970 = re.compile(r"[0-9]{10}(?:\.[0-9]+)?\Z")
MILLISECONDS_SINCE_1970 = re.compile(r"[0-9]{13}\Z")
OF_A_SPREADSHEET = re.compile(r"[0-9]{5}(?:[.,][0-9]+)?\Z")
DAY_ALONE = re.compile(r"[0-9]{4}[-/.]?[0-9]{2}[-/.]?[0-9]{2}\Z")
DAY_OR_MONTH_FIRST = re.compile(r"[0-9]{1,2}[/.-][0-9]{1,2}[/.-][0-9]{2,4}\b")
YEAR_FIRST = re.compile(r"([0-9]{4})[/.]([0-9]{1,2})[/.]([0-9]{1,2})[ T]+(.+)\Z")
IN_WORDS = re.compile(r"([A-Za-z]{3,9})\.? ([0-9]{1,2}),? ([0-9]{4}),? +(?:at )?(.+)\Z")
CLOCK = re.compile(r"([0-9]{1,2}):([0-9]{2})(?::([0-9]{2}(?:\.[0-9]{1,6})?))?(?: ?([AaPp])\.?[Mm]\.?)?(.*)\Z")
ZONE_BY_LETTERS = re.compile(r".*[0-9] ?(?:[A-Z]{2}T|[A-Z]{1,2}ST)\Z")
WEEKDAY = re.compile(r"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), ")
IN_AN_HOUR = frozenset(f":{minute:02}:{second:02}" for minute in range(60) for second in range(60))
HOUR = timedelta(hours=1)
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


def moment_of(text: str) -> str:
    """Return an instant in ISO 8601, with its offset from UTC. Raises Rejected if the text doesn't say one instant."""
    moment = _moment(text.strip())
    offset = moment.utcoffset()
    if offset is None:
        raise Rejected(
            "no_offset",
            f"The time {shown(text.strip())} has no offset from UTC, like -05:00 or Z. Write it, or name the zone.",
        )
    if offset.microseconds or not -FARTHEST < offset < FARTHEST:
        raise Rejected("bad_time", f"The time {shown(text.strip())} has an offset that no place has.")
    return moment.isoformat()


def _moment(text: str) -> datetime:
    """Return a text's time, with or without an offset. Raises Rejected if it could be read in two ways, or in none."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return _otherwise_written(text)
    return moment if moment.tzinfo is not None else _otherwise_written(text, moment)


def _otherwise_written(text: str, moment: datetime | None = None) -> datetime:
    """Return a time that isn't in ISO 8601 with an offset; `moment` is what ISO 8601 makes of it, if anything."""
    if MILLISECONDS_SINCE_1970.match(text):  # in ISO 8601, some are a day in the 18th century
        return datetime.fromtimestamp(int(text) / 1_000, UTC)
    if DAY_ALONE.match(text):
        raise Rejected("bad_time", f"{shown(text)} is a day without a time. Write both, {EXAMPLE}.")
    if moment is not None:
        return moment
    if SECONDS_SINCE_1970.match(text):
        return datetime.fromtimestamp(float(text), UTC)
    try:
        if WEEKDAY.match(text):
            return parsedate_to_datetime(text)
        return datetime.fromisoformat(_as_iso(text))
    except (ValueError, OverflowError, TypeError):
        raise Rejected("bad_time", _no_time(text)) from None


def _as_iso(text: str) -> str:
    text = text.replace("\N{MINUS SIGN}", "-")
    for name in (" UTC", " GMT"):
        text = text.removesuffix(name) + "+00:00" if text.endswith(name) else text
    if found := YEAR_FIRST.match(text):
        year, month, day, clock = found.groups()
        return f"{year}-{month:0>2}-{day:0>2}T{_clock(clock)}"
    if found := IN_WORDS.match(text):
        name, day, year, clock = found.groups()
        return f"{year}-{MONTHS.index(name[:3].lower()) + 1:02}-{day:0>2}T{_clock(clock)}"
    if len(text) > 11 and text[4:5] == "-":
        return f"{text[:10]}T{_clock(text[11:].strip())}"
    return text


def _clock(text: str) -> str:
    """Return a time of day, which may have AM or PM, in ISO 8601. Raises ValueError if it is not one."""
    found = CLOCK.match(text)
    if not found:
        raise ValueError(text)
    hour, minute, second, half, rest = found.groups()
    if half:
        if not 1 <= int(hour) <= 12:
            raise ValueError(text)
        hour = str(int(hour) % 12 + (12 if half in "Pp" else 0))
    return f"{hour:0>2}:{minute}:{second or '00'}{rest.strip()}"


def _no_time(text: str) -> str:
    if OF_A_SPREADSHEET.match(text):
        return f"{shown(text)} is a day's number in a spreadsheet. Format the column as a date and time, {EXAMPLE}."
    if DAY_OR_MONTH_FIRST.match(text):
        return f"{shown(text)} could have the day or the month first. Write the year first, {EXAMPLE}."
    if ZONE_BY_LETTERS.match(text):
        return f"{shown(text)} has letters for its zone, which several zones share. Write the offset, {EXAMPLE}."
    return f"{shown(text)} is no time in ISO 8601, {EXAMPLE}."


class OffsetTimes:
    """Reads times with an offset from UTC, and checks each hour with its offset only once."""

    def __init__(self) -> None:
        self._hours: set[str] = set()

    def moment_of(self, text: str, unique_id: str = "") -> str:
        """Return the instant, as the function `moment_of` does. The unique id is not needed."""
        hour = text[:13] + text[19:]
        is_usual = text[13:19] in IN_AN_HOUR
        if is_usual and hour in self._hours:
            return text
        moment = moment_of(text)
        if is_usual and moment == text:
            if len(self._hours) >= MOST_REMEMBERED:
                self._hours.clear()
            self._hours.add(hour)
        return moment


class LocalTimes:
    """Reads local times in a zone, and computes each hour's offset only once."""

    def __init__(self, zone: ZoneInfo) -> None:
        self.zone = zone
        self._offsets: dict[str, timedelta | None] = {}
        self._hours: dict[str, str] = {}  # the hour in UTC, for offsets of whole hours

    def moment_of(self, text: str, unique_id: str) -> str:
        """Return the instant of a local time in UTC, like 2026-03-05T15:00:00Z. If the text has an offset, that counts.

        Raises Rejected for a time that clocks skipped when they went forward. If clocks showed the time twice, the
        unique id decides, because it has the second at which Asterisk made the channel; raises Rejected if it fits
        neither.
        """
        if (hour := self._hours.get(text[:13])) and text[13:] in IN_AN_HOUR:
            return f"{hour}{text[13:]}Z"
        text = text.strip()
        moment = _moment(text)
        if moment.tzinfo is not None:
            return in_utc(moment_of(text))
        if text[10:11] not in (" ", "T") or text[13:14] != ":":
            text = moment.isoformat(" ")
        hour = text[:13]
        if hour not in self._offsets:
            if len(self._offsets) >= MOST_REMEMBERED:
                self._offsets.clear()
                self._hours.clear()
            self._offsets[hour] = self._offset_in(moment)
        offset = self._offsets[hour]
        if offset is None:
            moment = self._decided(moment, text, unique_id)
            offset = moment.utcoffset() or timedelta()
        elif not offset % HOUR:
            with suppress(OverflowError):
                self._hours[hour] = (moment - offset).isoformat()[:13]
        try:
            return (moment.replace(tzinfo=None) - offset).isoformat() + "Z"
        except OverflowError:
            raise Rejected("bad_time", f"{shown(text)} is out of range.") from None

    def _offset_in(self, moment: datetime) -> timedelta | None:
        """Return the offset of the moment's hour, or None if clocks change in that hour."""
        ends = (moment.replace(minute=0, second=0, microsecond=0), moment.replace(minute=59, second=59, microsecond=0))
        found = {end.replace(tzinfo=self.zone, fold=fold).utcoffset() for end in ends for fold in (0, 1)}
        return found.pop() if len(found) == 1 else None

    def _decided(self, moment: datetime, text: str, unique_id: str) -> datetime:
        first, second = (moment.replace(tzinfo=self.zone, fold=fold) for fold in (0, 1))
        if first.utcoffset() == second.utcoffset():
            return first
        where = self.zone.key
        if first.astimezone(UTC).astimezone(self.zone).replace(tzinfo=None) != moment:
            raise Rejected(
                "nonexistent_time",
                f"{text} never was in {where}: clocks went forward over it. Write the time with its offset.",
            )
        made = CREATED_AT.search(unique_id)
        if made:
            for each in (first, second):
                if abs(each.timestamp() - int(made[1])) <= NEAR:
                    return each
        raise Rejected(
            "ambiguous_time", f"{text} was twice in {where}: clocks went back. Write the time with its offset."
        )


def in_utc(moment: str) -> str:
    """Return an instant with an offset in UTC, like 2026-03-05T15:00:00Z, with microseconds if it has any."""
    try:
        return datetime.fromisoformat(moment).astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"
    except OverflowError:
        raise Rejected("bad_time", f"{shown(moment)} is out of range.") from None
