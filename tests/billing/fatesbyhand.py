"""A second implementation of policies 8, 11, 12, 16 and 17, deliberately naive: all rows are compared with one another.

It shares no code with `billing`. A test compares the two over random histories of one account that is never activated
and pays 4.5 cents a minute.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from math import ceil
from typing import NamedTuple
from zoneinfo import ZoneInfo

RATE = Decimal("0.0450")


class Row(NamedTuple):
    """The content of a row in a file. Every call is to the account's only number."""

    call: str
    leg: str
    start: datetime
    seconds: int


@dataclass
class Record:
    row: Row
    is_voided: bool = False


@dataclass
class Aside:
    row: Row
    state: str = "open"


def is_one(one: Row, other: Row) -> bool:
    """Whether two rows have the same identity (17)."""
    if one.call != other.call:
        return False
    if (one.leg and other.leg) or (not one.leg and not other.leg):
        return one.leg == other.leg
    return one.start == other.start


def is_same(one: Row, other: Row) -> bool:
    """Whether two rows are one record: they have the same identity and the same content (17)."""
    return is_one(one, other) and (one.start, one.seconds) == (other.start, other.seconds)


@dataclass
class Books:
    """Everything that was received, and what was invoiced for each month."""

    zone: ZoneInfo
    records: list[Record] = field(default_factory=list)
    asides: list[Aside] = field(default_factory=list)
    invoiced: dict[date, Decimal] = field(default_factory=dict)

    def in_effect(self) -> list[Row]:
        return [record.row for record in self.records if not record.is_voided]

    def receive(self, rows: Iterable[Row]) -> Counter[str]:
        """Read a file, and return the number of its rows by fate."""
        talked = [row for row in rows if row.seconds]
        fates: Counter[str] = Counter(zero=len(list(rows)) - len(talked))
        before = self.in_effect()
        voided = [record.row for record in self.records if record.is_voided]
        dismissed = [aside.row for aside in self.asides if aside.state == "dismissed"]
        candidates = [row for row in talked if not any(is_same(row, other) for other in voided)]
        # A row without a leg is ignored if the same row is there with a leg.
        echoes = [not row.leg and any(other.leg and is_same(row, other) for other in candidates) for row in candidates]
        firsts = [row for row, echo in zip(candidates, echoes, strict=True) if not echo]
        added: list[Row] = []
        kept: list[Row] = []
        for row in talked:
            conflicts = any(is_one(row, other) and not is_same(row, other) for other in firsts)
            is_echo = not row.leg and any(other.leg and is_same(row, other) for other in candidates)
            if any(is_same(row, other) for other in before):
                fates["repeated"] += 1
            elif row not in candidates:
                fates["voided"] += 1
            elif any(is_same(row, other) for other in dismissed) or is_echo:
                fates["repeated"] += 1
            elif conflicts or any(is_one(row, other) for other in before):
                waiting = [aside.row for aside in self.asides if aside.state == "open"] + kept
                if any(is_same(row, other) for other in waiting):
                    fates["repeated"] += 1
                else:
                    kept.append(row)
            elif any(is_same(row, other) for other in added):
                fates["repeated"] += 1
            else:
                added.append(row)
        for aside in self.asides:
            if aside.state == "open" and any(is_same(aside.row, row) for row in added):
                aside.state = "settled"
        self.records += map(Record, added)
        self.asides += map(Aside, kept)
        return +(fates + Counter(added=len(added), set_aside=len(kept)))

    def void(self, row: Row) -> None:
        for record in self.records:
            if not record.is_voided and record.row == row:
                record.is_voided = True

    def take(self, aside: Aside) -> bool:
        """Take a set-aside record. If the same record is stored, change nothing and return False."""
        beside = [row for row in self.in_effect() if is_one(row, aside.row)]
        if any(is_same(row, aside.row) for row in beside):
            return False
        for row in beside:
            self.void(row)
        self.records.append(Record(aside.row))
        aside.state = "taken"
        return True

    def owed(self, month: date) -> Decimal:
        """Return what is owed for a month, with each record rounded up to minutes on its local day (8)."""
        minutes = 0
        for row in self.in_effect():
            day = row.start.astimezone(self.zone).date()
            if (day.year, day.month) == (month.year, month.month):
                minutes += ceil(row.seconds / 60)
        return (minutes * RATE).quantize(Decimal("0.01"), ROUND_HALF_UP)

    def bill(self, month: date) -> Decimal:
        """Invoice a month, with the differences of earlier ones, and return the total (11, 12)."""
        total = Decimal("0.00")
        for each in [*self.invoiced, month]:
            total += self.owed(each) - self.invoiced.get(each, Decimal("0.00"))
            self.invoiced[each] = self.owed(each)
        return total
