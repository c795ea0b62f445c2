"""A notice that was dropped leaves room for another of the same occasion: what was no longer true may be so again."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("onboarding", "0007_notice_failed_index")]

    operations = [
        migrations.RemoveConstraint(model_name="notice", name="notice_once_per_occasion"),
        migrations.AddConstraint(
            model_name="notice",
            constraint=models.UniqueConstraint(
                fields=["account", "to", "kind", "occasion"],
                condition=models.Q(("state", "dropped"), _negated=True),
                name="notice_once_per_occasion",
                violation_error_message="This person was told of this already.",
            ),
        ),
    ]
