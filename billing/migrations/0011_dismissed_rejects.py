from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("billing", "0010_call_feed"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="rejectedcall",
            index=models.Index(
                condition=models.Q(("state", "dismissed")), fields=["call_id"], name="rejected_dismissed"
            ),
        ),
    ]
