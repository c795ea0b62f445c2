"""A price that is still to come can't be moved to a day that has begun either: it would rewrite what is invoiced."""

from django.db import migrations

from core.migration_guards import sealed

FUNCTION = """
CREATE OR REPLACE FUNCTION price_in_effect_is_final() RETURNS trigger LANGUAGE plpgsql AS $guard$
DECLARE
    -- A price takes effect where the day begins first, which is 14 hours before UTC.
    today date := (now() AT TIME ZONE 'Pacific/Kiritimati')::date;
BEGIN
    IF {condition} THEN
        RAISE EXCEPTION '% on % is refused', TG_OP, TG_TABLE_NAME
            USING ERRCODE = '23514', CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME;
    END IF;
    IF TG_OP = 'DELETE' THEN RETURN OLD; END IF;
    RETURN NEW;
END $guard$;
"""


class Migration(migrations.Migration):
    dependencies = [("subscriptions", "0002_guards")]

    operations = [
        migrations.RunSQL(
            FUNCTION.format(
                condition="OLD.effective_from <= today OR (TG_OP = 'UPDATE' AND NEW.effective_from <= today)"
            ),
            FUNCTION.format(condition="OLD.effective_from <= today"),
        ),
        sealed(),
    ]
