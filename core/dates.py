"""Days and moments in words, in the language that is active: each language's formats are in `config/formats`."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

from django.utils.formats import date_format
from django.utils.functional import lazy
from django.utils.translation import pgettext


def day_in_words(day: date) -> str:
    """Return a day: `March 5, 2026`."""
    return date_format(day, "DATE_FORMAT")


def month_in_words(month: date) -> str:
    """Return the month of a day: `March 2026`."""
    return date_format(month, "YEAR_MONTH_FORMAT")


def moment_in_words(moment: datetime, zone: ZoneInfo) -> str:
    """Return an instant as it is in a zone: `March 5, 2026, 10:00`."""
    there = moment.astimezone(zone)
    return f"{day_in_words(there.date())}, {there:%H:%M}"


def days_in_words(first: date, last: date) -> str:
    """Return days of one month in short: `Mar 16–31, 2026`, or one day."""
    month = date_format(first, pgettext("a month in short, as of Django's date filter", "M"))
    days = f"{first.day}" if first == last else f"{first.day}–{last.day}"
    words = pgettext("days of a month, as of Mar 16–31, 2026", "%(month)s %(days)s, %(year)s")
    return words % {"month": month, "days": days, "year": first.year}


# For a refusal: it is shown in one language and kept in another, so its words are made when they are read.
day_in_words_later = lazy(day_in_words, str)
