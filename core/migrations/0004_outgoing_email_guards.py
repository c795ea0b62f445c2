"""Guards: what was sent or dropped stays as it was, and no email of the outbox is lost."""

from django.db import migrations

from core.guards.operations import install
from core.outbox.guards import GUARDS


class Migration(migrations.Migration):
    dependencies = [
        ("core", "0003_outgoing_email"),
        ("accounts", "0002_guards"),  # which made the function that refuses TRUNCATE
    ]

    operations = [install(*GUARDS)]
