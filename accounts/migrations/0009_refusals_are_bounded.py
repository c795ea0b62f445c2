"""The length of a refusal's message is bounded. Longer messages from before stay: those rows can't be changed."""

from django.contrib.postgres.operations import AddConstraintNotValid
from django.db import migrations, models
from django.db.models.functions import Length
from django.db.models.lookups import LessThanOrEqual


class Migration(migrations.Migration):
    dependencies = [("accounts", "0008_keys")]

    operations = [
        migrations.AddIndex("refusal", models.Index(fields=["by", "-at"], name="refusal_of_person")),
        AddConstraintNotValid(
            "refusal",
            models.CheckConstraint(
                condition=LessThanOrEqual(Length("message"), 1000),
                name="refusal_message_is_bounded",
                violation_error_message="The message of a refusal has at most 1,000 characters.",
            ),
        ),
    ]
