"""No price is added for a day that has begun, except for an item that had no price then (billing-policy.md, 18)."""

from django.db import migrations

from core.migration_guards import guard, sealed

# A day begins first where it is 14 hours later than in UTC. Written as arithmetic: data about zones changes.
TODAY = "(now() AT TIME ZONE 'UTC' + interval '14 hours')::date"

# The item is locked before its prices are read, so two sessions can't each find that it has none.
STARTS_LATER = f"""
PERFORM FROM subscriptions_item WHERE id = NEW.item_id FOR NO KEY UPDATE;
IF NEW.effective_from <= {TODAY}
    AND EXISTS (
        SELECT FROM subscriptions_price
        WHERE item_id = NEW.item_id AND id <> NEW.id AND effective_from <= NEW.effective_from)
    AND NOT writing_history() THEN REFUSE; END IF;
"""

IN_EFFECT = """
CREATE OR REPLACE FUNCTION price_in_effect_is_final() RETURNS trigger LANGUAGE plpgsql AS $guard$
DECLARE
    -- A price takes effect where the day begins first, which is 14 hours before UTC.
    today date := {today};
BEGIN
    IF OLD.effective_from <= today OR (TG_OP = 'UPDATE' AND NEW.effective_from <= today) THEN
        RAISE EXCEPTION '% on % is refused', TG_OP, TG_TABLE_NAME
            USING ERRCODE = '23514', CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME;
    END IF;
    IF TG_OP = 'DELETE' THEN RETURN OLD; END IF;
    RETURN NEW;
END $guard$;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("subscriptions", "0004_day_of_a_change"),
        ("accounts", "0005_writing_history"),
    ]

    operations = [
        migrations.RunSQL(migrations.RunSQL.noop, sealed().sql),  # what the way back replaces is sealed at its end
        guard("price_starts_later", "subscriptions_price", "INSERT", STARTS_LATER),
        migrations.RunSQL(
            IN_EFFECT.format(today=TODAY),
            IN_EFFECT.format(today="(now() AT TIME ZONE 'Pacific/Kiritimati')::date"),
        ),
        sealed(),
    ]
