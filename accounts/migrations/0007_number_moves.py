"""Triggers: a number that is assigned does not move to another account, and only its own account can have it assigned.

Both lock the number's row before they look, so that of a move and an assignment at the same moment the second to take
the row sees the first. What was written before stays; a number that is assigned to another account than its own can
still be moved to that account, where the assignment can be ended.
"""

from django.db import migrations

from core.migration_guards import guard, sealed

# An UPDATE has the row locked before its triggers run, and each statement of theirs sees what was committed until then.
MOVE = """
IF NEW.account_id IS DISTINCT FROM OLD.account_id AND EXISTS (
    SELECT FROM accounts_numberassignment a
    WHERE a.number_id = OLD.id AND upper_inf(a.period) AND a.account_id IS DISTINCT FROM NEW.account_id)
THEN REFUSE; END IF;
"""
ASSIGNMENT = """
IF upper_inf(NEW.period) THEN
    PERFORM FROM accounts_phonenumber n
        WHERE n.id = NEW.number_id AND n.account_id = NEW.account_id FOR SHARE;
    IF NOT FOUND THEN REFUSE; END IF;
END IF;
"""


class Migration(migrations.Migration):
    dependencies = [("accounts", "0006_time_zones")]

    operations = [
        guard("assigned_number_does_not_move", "accounts_phonenumber", "UPDATE", MOVE),
        guard("number_is_assigned_by_its_account", "accounts_numberassignment", "INSERT", ASSIGNMENT),
        sealed(),
    ]
