"""Guards: a row keeps its primary key, so that no row takes the place of another (I23)."""

from django.db import migrations

from core.guards.operations import install
from subscriptions.guards import KEYS


class Migration(migrations.Migration):
    dependencies = [("subscriptions", "0009_kinds_of_items"), ("accounts", "0008_keys")]

    operations = [install(*KEYS)]
