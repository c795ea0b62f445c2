"""A change is a subscription change: the model has another name, its table stays."""

from django.db import migrations

from core.migration_permissions import rename_permissions


class Migration(migrations.Migration):
    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
        ("subscriptions", "0006_withdrawn_from"),
    ]

    operations = [
        migrations.AlterModelTable("Change", "subscriptions_change"),
        migrations.RenameModel("Change", "SubscriptionChange"),
        rename_permissions("subscriptions", old="change", new="subscriptionchange"),
    ]
