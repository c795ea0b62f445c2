"""The days of an account's start and activation are stored with their instants (R34, billing policy 15).

What is there already gets the day that billing used: the one of the database server's own rules. The zones that the
server does not know have the day of the pinned rules, and one that nobody knows has that of UTC.
"""

from typing import Any

from django.db import migrations, models

from accounts.zones import day_in, known_zone

TABLES = ("onboarding_onboarding", "onboarding_historicalonboarding")
FILL = """
UPDATE {table} o SET
    started_on = (o.started_at AT TIME ZONE coalesce(n.name, 'UTC'))::date,
    activated_on = (o.activated_at AT TIME ZONE coalesce(n.name, 'UTC'))::date
FROM accounts_account a LEFT JOIN pg_timezone_names n ON n.name = a.timezone
WHERE a.id = o.account_id;
"""
UNKNOWN_TO_SERVER = """
SELECT o.account_id, a.timezone, o.started_at, o.activated_at
FROM onboarding_onboarding o JOIN accounts_account a ON a.id = o.account_id
WHERE a.timezone NOT IN (SELECT name FROM pg_timezone_names)
"""


def fill(apps: Any, schema_editor: Any) -> None:
    with schema_editor.connection.cursor() as cursor:
        for table in TABLES:
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
            cursor.execute(FILL.format(table=table))
        cursor.execute(UNKNOWN_TO_SERVER)
        rows = cursor.fetchall()
        for account, name, started_at, activated_at in rows:
            if (zone := known_zone(name)) is None:
                continue
            days = (day_in(zone, started_at), activated_at and day_in(zone, activated_at))
            for table in TABLES:
                cursor.execute(
                    f"UPDATE {table} SET started_on = %s, "
                    "activated_on = CASE WHEN activated_at IS NOT NULL THEN %s::date END WHERE account_id = %s",
                    [*days, account],
                )
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # a table with a trigger that waits can't be altered
        for table in TABLES:
            cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")


def started_on(**options: Any) -> models.DateField:
    return models.DateField("first day of onboarding", editable=False, **options)


def activated_on() -> models.DateField:
    return models.DateField("day of activation", null=True, blank=True, editable=False)


class Migration(migrations.Migration):
    dependencies = [("onboarding", "0010_names_of_the_worklist"), ("accounts", "0006_time_zones")]

    operations = [
        *(
            operation
            for model in ("onboarding", "historicalonboarding")
            for operation in (
                migrations.AddField(model, "started_on", started_on(null=True)),
                migrations.AddField(model, "activated_on", activated_on()),
            )
        ),
        migrations.RunPython(fill, migrations.RunPython.noop),
        *(
            migrations.AlterField(model, "started_on", started_on())
            for model in ("onboarding", "historicalonboarding")
        ),
    ]
