"""Triggers: what was sent or dropped stays as it was, and no email of the outbox is lost."""

from django.db import migrations

from core.migration_guards import guard, kept, sealed

# One that was given up may wait again: it was never sent. The address is the one it was sent to, once it is sent: people
# may get another one while their email waits.
FINAL = """
IF (NEW.id, NEW.kind, NEW.data, NEW.created_at) IS DISTINCT FROM (OLD.id, OLD.kind, OLD.data, OLD.created_at) THEN
    REFUSE;
END IF;
IF NEW.address IS DISTINCT FROM OLD.address AND NEW.state <> 'sent' THEN
    REFUSE;
END IF;
IF OLD.state IN ('sent', 'dropped') AND NEW IS DISTINCT FROM OLD THEN
    REFUSE;
END IF;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("core", "0003_outgoing_email"),
        ("accounts", "0002_guards"),  # which made the function that refuses TRUNCATE
    ]

    operations = [
        guard("outgoing_email_is_final", "core_outgoingemail", "UPDATE", FINAL),
        guard("outgoing_email_is_never_deleted", "core_outgoingemail", "DELETE", "REFUSE;"),
        kept("core_outgoingemail"),
        sealed(),
    ]
