"""The kinds of items are those of the table in `kinds.py`, whatever it says: a new kind needs no migration.

Nothing changes in the database, which has no list of the kinds.
"""

from django.db import migrations, models

import subscriptions.kinds


class Migration(migrations.Migration):
    dependencies = [("subscriptions", "0008_guards_from_one_source")]

    operations = [
        migrations.AlterField(
            model_name=name,
            name="kind",
            field=models.CharField(choices=subscriptions.kinds.kinds_to_choose_from, max_length=16),
        )
        for name in ("historicalitem", "item")
    ]
