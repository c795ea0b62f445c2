"""A void makes its month late whoever writes it: past Python, too, the next invoice carries the difference."""

from django.db import migrations

from core.migration_guards import sealed

MARKS = """
UPDATE billing_callrecord r SET is_voided = true FROM written w WHERE r.id = w.record_id AND NOT r.is_voided;
"""
LATE = """
INSERT INTO billing_latemonth (account_id, month)
    SELECT DISTINCT b.account_id, b.month FROM written w
    JOIN billing_callrecord r ON r.id = w.record_id
    JOIN billing_billedmonth b ON b.account_id = r.account_id AND b.month = date_trunc('month', r.day)::date
    WHERE r.is_toll_free
    ON CONFLICT DO NOTHING;
"""


def marks(body):
    return f"""
    CREATE OR REPLACE FUNCTION void_marks_its_record() RETURNS trigger LANGUAGE plpgsql AS $guard$
    BEGIN
        {body}
        RETURN NULL;
    END $guard$;
    """


class Migration(migrations.Migration):
    dependencies = [
        ("billing", "0011_dismissed_rejects"),
    ]

    operations = [
        migrations.RunSQL(migrations.RunSQL.noop, sealed().sql),  # what the way back replaces is sealed at its end
        migrations.RunSQL(marks(MARKS + LATE), marks(MARKS)),
        sealed(),
    ]
