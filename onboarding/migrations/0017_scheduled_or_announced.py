"""A guard: the schedule activates only on a day that was scheduled or announced (I26)."""

from dataclasses import replace as changed

from django.db import migrations

from core.guards.operations import replace
from onboarding.guards import ACTIVATED_BY_THE_TEAM

BEFORE = ACTIVATED_BY_THE_TEAM.body.partition("    -- A schedule takes the place of the deadline.")[0]


class Migration(migrations.Migration):
    dependencies = [("onboarding", "0016_keys")]

    operations = [replace(ACTIVATED_BY_THE_TEAM, was=changed(ACTIVATED_BY_THE_TEAM, body=BEFORE))]
