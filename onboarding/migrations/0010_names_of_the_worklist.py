"""What people read of a row of the worklist; nothing in the database changes."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("onboarding", "0009_indexes_of_the_worklist")]

    operations = [
        migrations.AlterModelOptions(
            name="onboarding",
            options={
                "permissions": [("activate_account", "Can activate an account, for good")],
                "verbose_name": "account on the worklist",
                "verbose_name_plural": "accounts on the worklist",
            },
        ),
        migrations.AlterModelOptions(
            name="historicalonboarding",
            options={
                "get_latest_by": ("history_date", "history_id"),
                "ordering": ("-history_date", "-history_id"),
                "verbose_name": "historical account on the worklist",
                "verbose_name_plural": "historical accounts on the worklist",
            },
        ),
    ]
