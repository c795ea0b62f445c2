"""A held bill is a bill on hold: the model has another name, and whoever had a permission on it keeps it."""

from django.db import migrations, models

from core.migration_permissions import rename_permissions


class Migration(migrations.Migration):
    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
        ("billing", "0012_void_marks_its_month"),
    ]

    operations = [
        migrations.AlterModelTable("HeldBill", "billing_heldbill"),
        migrations.RenameModel("HeldBill", "BillOnHold"),
        migrations.AlterModelOptions(
            "BillOnHold",
            {
                "ordering": ["-pk"],
                "permissions": [("decide_billonhold", "Can release or reject a bill on hold")],
                "verbose_name_plural": "bills on hold",
            },
        ),
        migrations.AlterField(
            "BillOnHold",
            "account",
            models.ForeignKey("accounts.account", models.PROTECT, related_name="bills_on_hold"),
        ),
        migrations.AlterField(
            "BillOnHold",
            "state",
            models.CharField(
                choices=[("held", "On hold"), ("released", "Released"), ("rejected", "Rejected")],
                default="held",
                max_length=16,
            ),
        ),
        rename_permissions("billing", old="heldbill", new="billonhold"),
    ]
