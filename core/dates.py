"""Days and times as text in the active language. The formats of each language are in `config/formats`."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

from django.utils.formats import date_format
from django.utils.functional import lazy
from django.utils.translation import pgettext


def day_in_words(day: date) -> str:
    """Return a day, like `March 5, 2026`."""
    return date_format(day, "DATE_FORMAT")


def month_in_words(month: date) -> str:
    """Return the month of a day, like `March 2026`."""
    return date_format(month, "YEAR_MONTH_FORMAT")


def moment_in_words(moment: datetime, zone: ZoneInfo) -> str:
    """Return an instant in a time zone, like `March 5, 2026, 10:00`."""
    there = moment.astimezone(zone)
    return f"{day_in_words(there.date())}, {there:%H:%M}"


def days_in_words(first: date, last: date) -> str:
    """Return a range of days within one month, like `Mar 16–31, 2026`, or a single day, like `Mar 16, 2026`."""
    month = date_format(first, pgettext("a month in short, as of Django's date filter", "M"))
    days = f"{first.day}" if first == last else f"{first.day}–{last.day}"
    words = pgettext("days of a month, as of Mar 16–31, 2026", "%(month)s %(days)s, %(year)s")
    return words % {"month": month, "days": days, "year": first.year}


# For a refusal, which is shown in one language and stored in another: formats the day when the text is read.
day_in_words_later = lazy(day_in_words, str)
