"""Template tags for the Onboarding team's pages."""

from collections.abc import Collection, Iterator, Sequence
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
    """A bar as a column of an SVG chart, in the units of the chart's viewBox."""

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


@dataclass(frozen=True)
class Choice:
    """A filter of the worklist: its label, and the URL that applies it, or removes it if it is chosen."""

    words: str
    address: str
    is_chosen: bool


@register.filter
def choices(page: Any) -> Iterator[Choice]:
    """Return the filters that the team uses every day, and any others that the page is filtered by."""
    for spec in page.filter_specs:
        name, value, title = str(spec.parameter_name), spec.value(), str(spec.title).capitalize()
        without = page.get_query_string({name: None})
        offered = dict(spec.lookup_choices)
        for offer, words in offered.items():
            shortcut, is_chosen = page.shortcuts.get((name, offer)), value == offer
            if shortcut or is_chosen:
                address = without if is_chosen else page.get_query_string({name: offer})
                yield Choice(shortcut or f"{title}: {words}", address, is_chosen)
        if value and value not in offered:  # like a week, which its Monday names
            yield Choice(f"{title}: {value}", without, True)


@register.filter
def without(keys: Sequence[int], others: Collection[int]) -> list[int]:
    """Return those of these keys that are not among the others."""
    return [key for key in keys if key not in others]


@register.filter
def columns(bars: Sequence[Bar]) -> Iterator[Column]:
    """Return the bars as columns from left to right."""
    for place, bar in enumerate(bars):
        yield Column(bar, place * STEP + 6, round(bar.length * TALLEST / 100))


@register.filter
def why(row: Any) -> str:
    """Return why an account is urgent, as HTML: its deadline, requested go-live date and day of activation, if any."""
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
    if row.goes_live_on:
        parts.append(f"goes live {date_format(row.goes_live_on)}")
    return format_html("{}" + ", {}" * (len(parts) - 1), *parts)
