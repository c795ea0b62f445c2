"""Guards: an activation is dated when it is made, and no planted history row hides a change of the mode (I14, I26)."""

from dataclasses import replace as changed

from django.db import migrations

from core.guards.forms import leaves_history_if_none_fits
from core.guards.operations import replace
from onboarding.guards import ACTIVATION_IS_FINAL, LEAVES_HISTORY

NOT_LATER = """IF OLD.activated_at IS NULL AND NEW.activated_at > clock_timestamp() + interval '10 minutes'
        -- Cases are replayed with the moments they name, in databases whose names say that they are for trying.
        AND NOT (current_database() LIKE 'test\\_%'
            AND current_setting('guards.clock', true) IS DISTINCT FROM 'refused') THEN
"""
MADE_NOW = "IF OLD.activated_at IS NULL AND NOT made_now(NEW.activated_at) THEN\n"


class Migration(migrations.Migration):
    dependencies = [("onboarding", "0017_scheduled_or_announced"), ("accounts", "0010_made_now")]

    operations = [
        replace(
            ACTIVATION_IS_FINAL,
            was=changed(ACTIVATION_IS_FINAL, body=ACTIVATION_IS_FINAL.body.replace(MADE_NOW, NOT_LATER)),
        ),
        replace(LEAVES_HISTORY, was=leaves_history_if_none_fits(LEAVES_HISTORY)),
    ]
