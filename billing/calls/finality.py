"""Final months (billing-policy.md, 11): months that ended so long ago that nothing about them changes anymore."""

from datetime import date

from billing.calls.sql import column

REASON = "%(month)s is final: it ended so long ago that nothing of it changes any more."


def first_open_day() -> date | None:
    """Return the first day that is not in a final month, by the database's clock, or None while history is written."""
    day: date | None = column("SELECT CASE WHEN NOT writing_history() THEN first_open_day() END")[0]
    return day
