"""Functions for guards: whether something is dated when it is made, and whether this transaction wrote a row."""

from django.db import migrations

from accounts.guards import MADE_NOW, WRITTEN_HERE


class Migration(migrations.Migration):
    dependencies = [("accounts", "0009_refusals_are_bounded")]

    operations = [
        migrations.RunSQL(MADE_NOW.sql(), "DROP FUNCTION made_now(timestamptz);"),
        migrations.RunSQL(WRITTEN_HERE.sql(), "DROP FUNCTION written_here(xid);"),
    ]
