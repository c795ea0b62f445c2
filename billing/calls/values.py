"""Reads the values in a row of a call file, or rejects them with a code and a reason. Pure."""

import math
import re
from decimal import Decimal

import phonenumbers

MOST_SECONDS = 14_000_000  # 162 days; no call lasts longer, and a worked case has one of 156
LONGEST_ID = 100
LONGEST_CALLER = 40
MOST_REMEMBERED = 100_000
LOST_CHARACTER = "\N{REPLACEMENT CHARACTER}"  # replaces bytes that are not text
OF_A_SPREADSHEET = re.compile(r"[0-9](?:[.,][0-9]+)?E\+[0-9]+\Z", re.IGNORECASE)
DECIMAL = re.compile(r"[0-9]{1,12}\.[0-9]{0,12}\Z")
CLOCK = re.compile(r"([0-9]{1,4}):([0-5][0-9]):([0-5][0-9])(?:\.0*)?\Z")
SEPARATED = re.compile(r"[0-9]{1,3}(?:[ ,.'\u00a0\u202f][0-9]{3})+(?:[.,][0-9]+)?\Z")


class Rejected(Exception):
    """A row that is not taken: a code, and a reason for the person who corrects it."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


def shown(text: str) -> str:
    """Return a value as reasons quote it: shortened, and without unprintable characters."""
    text = "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text[:40])
    return f"“{text}”"


def call_id_of(text: str) -> str:
    """Return the id of a call.

    Raises Rejected if it is empty, too long, has unprintable or lost characters, or was rounded by a spreadsheet.
    """
    text = text.strip()
    if not text:
        raise Rejected("no_call_id", "The call has no id.")
    if len(text) > LONGEST_ID:
        raise Rejected("bad_call_id", f"The id {shown(text)}… is longer than {LONGEST_ID} characters.")
    if not text.isprintable():
        raise Rejected("bad_call_id", f"The id {shown(text)} has characters that can't be seen.")
    if LOST_CHARACTER in text:
        raise Rejected("bad_call_id", f"The id {shown(text)} has characters that were lost on the way here.")
    if "+" in text and OF_A_SPREADSHEET.match(text):
        raise Rejected(
            "bad_call_id",
            f"A spreadsheet rounded the id to {shown(text)}. Format the column as text, or export the file again.",
        )
    return text


def leg_of(text: str) -> str:
    """Return the leg or sequence of a record, or an empty string. Raises Rejected as `call_id_of` does."""
    return call_id_of(text) if text.strip() else ""


def caller_of(text: str) -> str:
    """Return the caller: the first 40 printable characters."""
    if not text.isprintable():
        text = "".join(filter(str.isprintable, text))
    return text.strip()[:LONGEST_CALLER]


def seconds_of(text: str) -> int:
    """Return the seconds of a call, rounded up. Raises Rejected unless they are from 0 to 14,000,000.

    They may be written as hours, minutes and seconds, like 00:01:01.
    """
    text = text.strip()
    if text.isascii() and text.isdigit():
        if len(text) > 100 or int(text) > MOST_SECONDS:
            raise Rejected("absurd_seconds", f"The seconds {shown(text)} are more than {MOST_SECONDS:,}.")
        return int(text)
    if text.startswith("-"):
        raise Rejected("negative_seconds", f"The seconds {shown(text)} are less than 0.")
    if DECIMAL.match(text):
        whole = math.ceil(Decimal(text))
    elif clock := CLOCK.match(text):
        whole = int(clock[1]) * 3600 + int(clock[2]) * 60 + int(clock[3])
    elif SEPARATED.match(text):
        raise Rejected("bad_seconds", f"The seconds {shown(text)} have a separator. Write them without, like 1234.")
    elif ":" in text:
        raise Rejected("bad_seconds", f"{shown(text)} may be hours or minutes. Write seconds, or 00:01:01.")
    else:
        raise Rejected("bad_seconds", f"The seconds {shown(text)} are not a number like 61.")
    if whole > MOST_SECONDS:
        raise Rejected("absurd_seconds", f"The seconds {shown(text)} are more than {MOST_SECONDS:,}.")
    return whole


class Numbers:
    """Reads telephone numbers in any notation, and remembers those that took time to read."""

    def __init__(self, region: str) -> None:
        self.region = region
        self._known: dict[str, str | None] = {}

    def number_of(self, text: str) -> str:
        """Return a number in E.164; one without a country is of the region. Raises Rejected if it can't be a number."""
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
        if LOST_CHARACTER in text or OF_A_SPREADSHEET.match(text):
            return None
        if text[-2:] == ".0":  # a number as a spreadsheet may write it
            text = text[:-2]
        try:
            number = phonenumbers.parse(text, self.region)
        except phonenumbers.NumberParseException:
            return None
        return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
