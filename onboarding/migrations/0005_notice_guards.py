"""Triggers: what was sent or dropped stays as it was, who is told of what never changes, and no notice is lost."""

from django.db import migrations

from core.migration_guards import guard, kept, sealed

# One that was given up may wait again: it was never sent.
FINAL = """
IF (NEW.id, NEW.account_id, NEW.to_id, NEW.kind, NEW.occasion, NEW.facts, NEW.created_at)
    IS DISTINCT FROM (OLD.id, OLD.account_id, OLD.to_id, OLD.kind, OLD.occasion, OLD.facts, OLD.created_at) THEN
    REFUSE;
END IF;
IF OLD.state IN ('sent', 'dropped') AND NEW IS DISTINCT FROM OLD THEN
    REFUSE;
END IF;
"""


class Migration(migrations.Migration):
    dependencies = [("onboarding", "0004_plans_guards")]

    operations = [
        guard("notice_is_final", "onboarding_notice", "UPDATE", FINAL),
        guard("notice_is_never_deleted", "onboarding_notice", "DELETE", "REFUSE;"),
        kept("onboarding_notice"),
        sealed(),
    ]
