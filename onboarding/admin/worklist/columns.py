"""The columns of the worklist that onboarding knows."""

from datetime import date
from typing import Any

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from core.dates import days_in_words
from onboarding.admin.worklist.registry import WORKLIST, Column, Export


def age(row: Any) -> SafeString:
    return format_html('<span class="whitespace-nowrap">{}</span>', in_days(row.in_onboarding_for.days))


def deadline(row: Any) -> SafeString | None:
    """Return the deadline as text, with the day of an automatic activation, or the day the account went live."""
    if row.is_active:
        return _lines(f"Active since {_short(row.activated_on)}")
    late = days_late(row)
    return _lines(
        _short(row.deadline) if row.deadline else "",
        format_html('<span class="late">{} overdue</span>', in_days(late)) if late > 0 else "",
        f"goes live {_short(row.goes_live_on)}" if row.goes_live_on else "",
    )


def wanted_on(row: Any) -> SafeString | None:
    return _lines(_short(row.wanted_on)) if row.wanted_on else None


def owner(row: Any) -> str | None:
    return str(row.owner) if row.owner else None


def days_late(row: Any) -> int:
    """Return how many days ago the deadline was, where the account is; of none, and of one to come, none."""
    return max(0, (row.today - row.deadline).days) if row.deadline else 0


def in_days(count: int) -> str:
    return "1 day" if count == 1 else f"{count:,} days"


def _short(day: date) -> str:
    return days_in_words(day, day)


def _lines(first: str, *more: str) -> SafeString | None:
    """Return the words one below the other, none of them broken: the list has many columns."""
    below = format_html_join("", '<span class="second">{}</span>', ((words,) for words in more if words))
    return format_html('<span class="nowrap">{}{}</span>', first, below) if first or below else None


WORKLIST.register_column(
    Column(
        "number",
        title="Account",
        place=10,
        show=lambda row: row.account.number,
        sort_by="account__number",
        is_link=True,
        exports=[Export("account", lambda row: row.account.number, place=10)],
    )
)
WORKLIST.register_column(
    Column(
        "company",
        title="Company",
        place=20,
        show=lambda row: row.account.company,
        sort_by="account__company",
        is_link=True,
        exports=[Export("company", lambda row: row.account.company, place=20)],
    )
)
WORKLIST.register_column(
    Column(
        "age",
        title="Age",
        place=40,
        show=age,
        sort_by="in_onboarding_for",
        exports=[Export("age_in_days", lambda row: row.in_onboarding_for.days, place=30)],
    )
)
WORKLIST.register_column(
    Column(
        "deadline",
        title="Deadline",
        place=50,
        show=deadline,
        sort_by="deadline",
        exports=[
            Export("deadline", lambda row: row.deadline or "", place=40),
            Export("scheduled_for", lambda row: row.scheduled_on or "", place=60),
            Export("goes_live_on", lambda row: row.goes_live_on or "", place=70),
            Export("activated_on", lambda row: row.activated_on or "", place=80),
        ],
    )
)
WORKLIST.register_column(
    Column(
        "wanted_on",
        title="Go-live asked for",
        place=60,
        show=wanted_on,
        sort_by="wanted_on",
        exports=[Export("go_live_asked_for", lambda row: row.wanted_on or "", place=50)],
    )
)
WORKLIST.register_column(
    Column(
        "looked_after_by",
        title="Owner",
        place=70,
        show=owner,
        sort_by="owner__email",
        exports=[Export("owner", lambda row: row.owner.email if row.owner else "", place=90)],
    )
)
