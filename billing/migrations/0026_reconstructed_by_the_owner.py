"""Guards: only the owner of the tables writes a document that was reconstructed, as the upgrade did (I22)."""

from dataclasses import replace as changed

from django.db import migrations

from billing.guards.documents import NAMES_WHAT_IS_THERE, RECONSTRUCTED
from core.guards.operations import replace


class Migration(migrations.Migration):
    dependencies = [("billing", "0025_xml_by_email")]

    operations = [
        replace(guard, was=changed(guard, body=guard.body.replace(RECONSTRUCTED, ")"))) for guard in NAMES_WHAT_IS_THERE
    ]
