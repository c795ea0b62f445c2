"""A change is a subscription change: the model has another name, its table stays."""

from django.db import migrations

PERMISSIONS = """
UPDATE auth_permission p SET codename = replace(codename, 'change', 'subscriptionchange') FROM django_content_type t
WHERE p.content_type_id = t.id AND t.app_label = 'subscriptions' AND p.codename LIKE '%\\_change'
    AND NOT EXISTS (
        SELECT FROM auth_permission q
        WHERE q.content_type_id = p.content_type_id AND q.codename = replace(p.codename, 'change', 'subscriptionchange'))
"""


class Migration(migrations.Migration):
    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
        ("subscriptions", "0006_withdrawn_from"),
    ]

    operations = [
        migrations.AlterModelTable("Change", "subscriptions_change"),
        migrations.RenameModel("Change", "SubscriptionChange"),
        migrations.RunSQL(PERMISSIONS, migrations.RunSQL.noop),
    ]
