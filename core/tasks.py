"""The jobs that maintain the job queue and the database."""

from datetime import datetime

from core.jobs.cleaning import clean_up as delete_what_expired
from core.jobs.periodic import every_hour, every_minute
from core.jobs.retrying import rescue_stalled
from core.outbox.delivery import send_due


@every_minute(formerly=["config.rescue"])
def rescue(now: datetime) -> str:
    rescued = rescue_stalled(now=now)
    return f"{rescued} jobs of workers that are gone" if rescued else ""


@every_hour(minute=23, formerly=["config.clean_up"])
def clean_up(now: datetime) -> str:
    return ", ".join(f"{count} {what} deleted" for what, count in delete_what_expired(now=now).items())


@every_minute(formerly=["onboarding.send_notices"])
def send_mail(now: datetime) -> str:
    """Send the emails that are due, and return the counts as text.

    If the mail server can't be used, the job doesn't fail; the emails wait, and each has the error.
    """
    sent = send_due()
    done = {"sent": sent.sent, "dropped": sent.dropped, "put off": sent.put_off, "given up": sent.failed}
    words = [f"{count} {what}" for what, count in done.items() if count]
    return ", ".join([*words, f"the mail server can't be used: {sent.unreachable}"] if sent.unreachable else words)
