"""The periodic jobs of onboarding."""

from datetime import datetime

from core.jobs.periodic import every_hour
from onboarding.actions import activate_overdue, activate_scheduled, announce


@every_hour(minute=3)
def schedule(now: datetime) -> str:
    """Activate the accounts that are due, then announce upcoming activations, and return the counts as text.

    The order makes sure that nothing is announced for an account that is activated in the same run. `now` is not passed
    on, since a run may take a long time; each chunk reads the clock after it has taken its locks.
    """
    activated = refused = changed = 0
    for work in (activate_scheduled, activate_overdue):
        for outcome in work():
            activated += len(outcome.activated)
            refused += len(outcome.refused)
    for announced in announce():
        changed += len(announced.changed)
        refused += len(announced.refused)
    done = {"activated": activated, "announced, or announced no more": changed, "refused": refused}
    return ", ".join(f"{count} {what}" for what, count in done.items() if count)
