"""Guards of what is held get the text of their one source in `guards.py`. It means the same as before.

The two that had the number of seats written into them have it from `onboarding/rules.py` now. What they said is kept
here: a database that still says so is OUTDATED, and not merely CHANGED.
"""

from django.db import migrations

from core.guards import Function
from core.guards.definition import REFUSE
from core.guards.operations import replace
from subscriptions import guards

IS_ACTIVE = """
EXISTS (SELECT FROM onboarding_onboarding WHERE account_id = NEW.account_id AND activated_at IS NOT NULL)
"""
BLANK = " " * 12
END = """
            IF TG_OP = 'DELETE' THEN RETURN OLD; END IF;
            RETURN NEW;
        END """

SEAT_LIMIT_BEFORE = Function(
    "onboarding_seat_limit",
    f"""
        BEGIN
            IF NEW.seats > 2 AND NOT {IS_ACTIVE} THEN {REFUSE}; END IF;{END}""",
)
LEDGER_LIMIT_BEFORE = Function(
    "onboarding_ledger_limit",
    f"""
        BEGIN
{BLANK}
IF NEW.slot IS DISTINCT FROM (
    SELECT CASE kind WHEN 'product' THEN -1 WHEN 'storage' THEN -2 WHEN 'package' THEN -3 ELSE id END
    FROM subscriptions_item WHERE id = NEW.item_id) THEN {REFUSE}; END IF;
IF ((NEW.slot = -1 AND NEW.quantity > 2) OR (NEW.slot = -3 AND NOT (
        SELECT held_at_install FROM subscriptions_item WHERE id = NEW.item_id)))
    AND NOT {IS_ACTIVE} THEN {REFUSE}; END IF;
{END}""",
)


class Migration(migrations.Migration):
    dependencies = [("subscriptions", "0007_subscription_change")]

    operations = [
        replace(guards.SEAT_LIMIT_HOLDS, was=SEAT_LIMIT_BEFORE),
        replace(guards.LEDGER_LIMIT_HOLDS, was=LEDGER_LIMIT_BEFORE),
        replace(guards.PACKAGE_IS_LOCKED),
        replace(guards.PRICE_IS_FINAL),
        replace(guards.ACTIVATION_FOLLOWS_CHANGES),
    ]
