"""The jobs that maintain the job queue and the database."""

from datetime import datetime

from core.jobs.cleaning import clean_up as delete_what_expired
from core.jobs.periodic import every_hour, every_minute
from core.jobs.retrying import rescue_stalled


@every_minute(formerly=["config.rescue"])
def rescue(now: datetime) -> str:
    rescued = rescue_stalled(now=now)
    return f"{rescued} jobs of workers that are gone" if rescued else ""


@every_hour(minute=23, formerly=["config.clean_up"])
def clean_up(now: datetime) -> str:
    return ", ".join(f"{count} {what} deleted" for what, count in delete_what_expired(now=now).items())
