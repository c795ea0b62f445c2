"""What onboarding does by itself."""

from datetime import datetime

from core.jobs.periodic import every_hour
from onboarding.actions import activate_overdue, activate_scheduled, announce


@every_hour(minute=3)
def schedule(now: datetime) -> str:
    """Activate what is due, before announcing what comes: people hear of a day only while it can still come.

    `now` is not handed on: a long run goes on past the hour, and each chunk looks at the clock under its locks.
    """
    activated = refused = changed = 0
    for work in (activate_scheduled, activate_overdue):
        for some in work():
            activated += len(some.activated)
            refused += len(some.refused)
    for told in announce():
        changed += len(told.changed)
        refused += len(told.refused)
    done = {"activated": activated, "announced, or announced no more": changed, "refused": refused}
    return ", ".join(f"{count} {what}" for what, count in done.items() if count)
