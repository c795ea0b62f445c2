"""Guards: a row keeps its primary key, so that no row takes the place of another (I23)."""

from django.db import migrations

from core.guards.operations import install
from billing.guards import KEYS


class Migration(migrations.Migration):
    dependencies = [("billing", "0015_call_import_and_on_hold"), ("accounts", "0008_keys")]

    operations = [install(*KEYS)]
