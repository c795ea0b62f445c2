"""The values in a row of a call file: read from text as it is written, or rejected with a code and a reason. Pure."""

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import phonenumbers

MOST_SECONDS = 14_000_000  # 162 days; no call lasts longer, and a worked case has one of 156
LONGEST_ID = 100
LONGEST_CALLER = 40
FARTHEST = timedelta(hours=15)  # PostgreSQL takes offsets up to here, and no place has one so large
MOST_REMEMBERED = 100_000
CREATED_AT = re.compile(r"(?:^|-)([0-9]{9,10})\.[0-9]+\Z")
NEAR = 900


class Rejected(Exception):
    """A row that is not taken: a code, and the reason in words for whoever corrects it."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


def shown(text: str) -> str:
    """Return a value as a reason quotes it: short, and without what can't be seen."""
    text = "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text[:40])
    return f"“{text}”"


def call_id_of(text: str) -> str:
    """Return the id of a call; rejected where it is empty, too long, or has letters that can't be seen."""
    text = text.strip()
    if not text:
        raise Rejected("no_call_id", "The call has no id.")
    if len(text) > LONGEST_ID:
        raise Rejected("bad_call_id", f"The id {shown(text)}… is longer than {LONGEST_ID} characters.")
    if not text.isprintable():
        raise Rejected("bad_call_id", f"The id {shown(text)} has characters that can't be seen.")
    return text


def leg_of(text: str) -> str:
    """Return which record of its call a row is, or nothing; rejected where it is too long, or can't be seen."""
    text = text.strip()
    if len(text) > LONGEST_ID or not text.isprintable():
        raise Rejected("bad_leg", f"The leg {shown(text)} is too long, or has characters that can't be seen.")
    return text


def leg_of_start(started_at: str) -> str:
    """Return the leg of a record that has none in its file: its start, like 2026-03-05T15:00:00Z."""
    moment = datetime.fromisoformat(started_at).astimezone(UTC)
    return f"{moment.replace(tzinfo=None, microsecond=0).isoformat()}Z"


def caller_of(text: str) -> str:
    """Return who called, as far as it can be shown: the first 40 characters."""
    if not text.isprintable():
        text = "".join(filter(str.isprintable, text))
    return text.strip()[:LONGEST_CALLER]


def seconds_of(text: str) -> int:
    """Return the seconds of a call; rejected unless they are a whole number from 0 to 14,000,000."""
    text = text.strip()
    if not (text.isascii() and text.isdigit()):
        if text.startswith("-"):
            raise Rejected("negative_seconds", f"The seconds {shown(text)} are less than 0.")
        raise Rejected("bad_seconds", f"The seconds {shown(text)} are not a whole number.")
    if len(text) > 100 or int(text) > MOST_SECONDS:
        raise Rejected("absurd_seconds", f"The seconds {shown(text)} are more than {MOST_SECONDS:,}.")
    return int(text)


def moment_of(text: str) -> str:
    """Return an instant, in a form PostgreSQL reads; rejected unless it is ISO 8601 with an offset from UTC."""
    text = text.strip()
    moment = _iso(text)
    offset = moment.utcoffset()
    if offset is None:
        raise Rejected("no_offset", f"The time {shown(text)} has no offset from UTC, like -05:00 or Z.")
    if offset.microseconds or not -FARTHEST < offset < FARTHEST:
        raise Rejected("bad_time", f"The time {shown(text)} has an offset that no place has.")
    return moment.isoformat()


def _iso(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise Rejected("bad_time", f"{shown(text)} is no time in ISO 8601, like 2026-03-05T10:00:00-05:00.") from None


class Numbers:
    """Reads telephone numbers in any way of writing, and remembers those that took time to read."""

    def __init__(self, region: str) -> None:
        self.region = region
        self._known: dict[str, str | None] = {}

    def number_of(self, text: str) -> str:
        """Return a number in E.164; one without a country is of the region. Rejected where it can't be a number."""
        if text[:1] == "+" and 8 <= len(text) <= 16 and text[1:].isdigit() and text.isascii():
            return text
        try:
            number = self._known[text]
        except KeyError:
            if len(self._known) >= MOST_REMEMBERED:
                self._known.clear()
            number = self._known[text] = self._read(text)
        if number is None:
            raise Rejected("bad_number", f"{shown(text)} is not a telephone number.")
        return number

    def _read(self, text: str) -> str | None:
        try:
            number = phonenumbers.parse(text, self.region)
        except phonenumbers.NumberParseException:
            return None
        return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


class LocalTimes:
    """Reads times of a wall clock in a zone: each hour's offset is worked out once."""

    def __init__(self, zone: ZoneInfo) -> None:
        self.zone = zone
        self._offsets: dict[str, str | None] = {}

    def moment_of(self, text: str, unique_id: str) -> str:
        """Return the instant of a local time, like 2026-03-05 10:00:00; an offset of its own is believed.

        A time that clocks skipped when they went forward is rejected. One they showed twice is decided by the unique
        id, which begins with the second at which Asterisk made the channel; rejected where that agrees with neither.
        """
        text = text.strip()
        moment = _iso(text)
        if moment.tzinfo is not None:
            return moment_of(text)
        if text[10:11] not in (" ", "T") or text[13:14] != ":":
            raise Rejected("bad_time", f"{shown(text)} is not a time like 2026-03-05 10:00:00.")
        hour = text[:13]
        if hour not in self._offsets:
            if len(self._offsets) >= MOST_REMEMBERED:
                self._offsets.clear()
            self._offsets[hour] = self._offset_in(moment)
        offset = self._offsets[hour]
        return moment.isoformat() + offset if offset else self._decided(moment, text, unique_id).isoformat()

    def _offset_in(self, moment: datetime) -> str | None:
        """Return the offset of the hour the moment is in, or None where clocks change in that hour."""
        ends = (moment.replace(minute=0, second=0, microsecond=0), moment.replace(minute=59, second=59, microsecond=0))
        found = {end.replace(tzinfo=self.zone, fold=fold).isoformat()[19:] for end in ends for fold in (0, 1)}
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
