"""A held bill is a bill on hold: the model has another name, and whoever had a permission on it keeps it."""

from django.db import migrations, models

PERMISSIONS = """
UPDATE auth_permission p SET codename = replace(codename, 'heldbill', 'billonhold') FROM django_content_type t
WHERE p.content_type_id = t.id AND t.app_label = 'billing' AND p.codename LIKE '%\\_heldbill'
    AND NOT EXISTS (
        SELECT FROM auth_permission q
        WHERE q.content_type_id = p.content_type_id AND q.codename = replace(p.codename, 'heldbill', 'billonhold'))
"""


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
        migrations.RunSQL(PERMISSIONS, migrations.RunSQL.noop),
    ]
