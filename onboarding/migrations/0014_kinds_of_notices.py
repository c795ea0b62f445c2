"""The kinds of notices are named by a function, so that a new kind needs no migration. No SQL."""

from django.db import migrations, models

import onboarding.notices.kinds


class Migration(migrations.Migration):
    dependencies = [("onboarding", "0013_guards_from_one_source")]

    operations = [
        migrations.AlterField(
            model_name="notice",
            name="kind",
            field=models.CharField(choices=onboarding.notices.kinds.choices, max_length=16),
        ),
    ]
