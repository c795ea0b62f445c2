"""The index by which the sidebar of the admin counts notices that were given up."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("onboarding", "0006_send_notice_permission")]

    operations = [
        migrations.AddIndex(
            model_name="notice",
            index=models.Index(
                models.F("settled_at"), condition=models.Q(("state", "failed")), name="notice_failed"
            ),
        ),
    ]
