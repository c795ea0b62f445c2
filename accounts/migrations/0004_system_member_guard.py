"""Trigger: who stands for the schedule is decided when his row is made, and never changes."""

from django.db import migrations

from core.migration_guards import guard, sealed

FIXED = "IF NEW.is_system <> OLD.is_system THEN REFUSE; END IF;"


class Migration(migrations.Migration):
    dependencies = [("accounts", "0003_language_and_system_member")]

    operations = [guard("user_system_member_is_fixed", "accounts_user", "UPDATE", FIXED), sealed()]
