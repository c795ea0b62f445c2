"""The permission to have a notice sent again."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("onboarding", "0005_notice_guards")]

    operations = [
        migrations.AlterModelOptions(
            name="notice",
            options={"ordering": ["-pk"], "permissions": [("send_notice", "Can have a notice sent again")]},
        ),
    ]
