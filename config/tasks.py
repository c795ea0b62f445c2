"""The jobs that keep the rest going."""

from datetime import datetime

from accounts.jobs import every_hour, every_minute
from config.jobs.cleaning import clean_up as delete_what_expired
from config.jobs.retrying import rescue_stalled


@every_minute
def rescue(now: datetime) -> str:
    rescued = rescue_stalled(now=now)
    return f"{rescued} jobs of workers that are gone" if rescued else ""


@every_hour(minute=23)
def clean_up(now: datetime) -> str:
    return ", ".join(f"{count} {what} deleted" for what, count in delete_what_expired(now=now).items())
