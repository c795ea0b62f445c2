"""What the Onboarding team's own pages show."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django import template
from django.utils.formats import date_format
from django.utils.html import format_html

from onboarding.dashboard import Bar

register = template.Library()

STEP: Final = 40
TALLEST: Final = 96
FLOOR: Final = 116


@dataclass(frozen=True)
class Column:
    """A bar that stands upright in a picture: its places in the picture's own units."""

    of: Bar
    x: int
    height: int

    @property
    def middle(self) -> int:
        return self.x + 14

    @property
    def y(self) -> int:
        return FLOOR - self.height

    @property
    def above(self) -> int:
        return self.y - 5


@register.filter
def columns(bars: Sequence[Bar]) -> Iterator[Column]:
    """Return the bars as columns, one beside the other."""
    for place, bar in enumerate(bars):
        yield Column(bar, place * STEP + 6, round(bar.length * TALLEST / 100))


@register.filter
def why(row: Any) -> str:
    """Return why an account is urgent, in words: its deadline, and the day its customer asks for."""
    if row.deadline and row.deadline < row.today:
        late = (row.today - row.deadline).days
        due: str = format_html('<span class="late">{} overdue</span>', "1 day" if late == 1 else f"{late:,} days")
    elif row.deadline:
        due = f"due {date_format(row.deadline)}"
    else:
        due = "no deadline"
    parts = [due]
    if row.wanted_on:
        parts.append(f"asks for {date_format(row.wanted_on)}")
    if row.scheduled_on:
        parts.append(f"goes live {date_format(row.scheduled_on)}")
    return format_html("{}" + ", {}" * (len(parts) - 1), *parts)
