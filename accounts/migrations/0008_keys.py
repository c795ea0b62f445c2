"""Guards: a row keeps its primary key, an account its number, and an assigned phone number its digits (I23, I26)."""

from django.db import migrations

from accounts.guards import ACCOUNT_NUMBER_IS_FINAL, ASSIGNED_NUMBER_STAYS_ITSELF, KEYS
from core.guards import REFUSE_REFERENCED
from core.guards.operations import install


class Migration(migrations.Migration):
    dependencies = [("accounts", "0007_number_moves")]

    operations = [
        migrations.RunSQL(REFUSE_REFERENCED.sql(), "DROP FUNCTION guard_refuse_referenced();"),
        install(ACCOUNT_NUMBER_IS_FINAL, ASSIGNED_NUMBER_STAYS_ITSELF, *KEYS),
    ]
