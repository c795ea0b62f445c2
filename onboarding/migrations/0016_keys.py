"""Guards: a row keeps its primary key, so that no row takes the place of another (I23)."""

from django.db import migrations

from core.guards.operations import install
from onboarding.guards import KEYS


class Migration(migrations.Migration):
    dependencies = [("onboarding", "0015_notices_in_the_outbox"), ("accounts", "0008_keys")]

    operations = [install(*KEYS)]
