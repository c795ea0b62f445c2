"""Guards: a row keeps its primary key, so that no row takes the place of another (I23)."""

from django.db import migrations

from core.guards import KEYS
from core.guards.operations import install


class Migration(migrations.Migration):
    dependencies = [("core", "0004_outgoing_email_guards")]

    operations = [install(*KEYS)]
