"""Guards: a change of a subscription leaves the days before it as they were, and is the account's own (I26)."""

from django.db import migrations

from core.guards.operations import install
from subscriptions.guards import LEDGER_KEEPS_THE_PAST, SUPERSEDED_BY_ITS_OWN


class Migration(migrations.Migration):
    dependencies = [("subscriptions", "0010_keys")]

    operations = [install(LEDGER_KEEPS_THE_PAST, SUPERSEDED_BY_ITS_OWN)]
