"""Triggers: the system member activates by the schedule, and by nothing else; plans leave history; notes are kept."""

from typing import Any

from django.db import migrations

from core.migration_guards import append_only, leaves_history, sealed

# As in 0002, and the system member where the schedule says so.
TEAM = """
CREATE OR REPLACE FUNCTION onboarding_activated_by_the_team() RETURNS trigger LANGUAGE plpgsql AS $guard$
BEGIN
    IF EXISTS (
        SELECT FROM (SELECT DISTINCT n.activated_by_id AS id, n.activated_from AS origin
                     FROM after_rows n JOIN before_rows o ON o.id = n.id
                     WHERE o.activated_at IS NULL AND n.activated_at IS NOT NULL) activator
        WHERE NOT EXISTS (
            SELECT FROM accounts_user u
            WHERE u.id = activator.id AND u.is_active AND (
                u.is_system AND activator.origin = 'schedule'
                OR u.is_staff AND (u.is_superuser OR EXISTS (
                    SELECT FROM auth_permission p
                    JOIN django_content_type t ON t.id = p.content_type_id
                    WHERE p.codename = 'activate_account' AND t.app_label = 'onboarding' AND (
                        EXISTS (SELECT FROM accounts_user_user_permissions g
                                WHERE g.user_id = u.id AND g.permission_id = p.id)
                        OR EXISTS (SELECT FROM accounts_user_groups m
                                   JOIN auth_group_permissions g ON g.group_id = m.group_id
                                   WHERE m.user_id = u.id AND g.permission_id = p.id))))))
    ) THEN
        RAISE EXCEPTION '% on % is refused', TG_OP, TG_TABLE_NAME
            USING ERRCODE = '23514', CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME;
    END IF;
    RETURN NULL;
END $guard$;
"""

MODE = ["account_id", "started_at", "activated_at", "activated_by_id", "activated_from", "reason"]
PLANS = [
    *("owner_id", "deadline_rule", "deadline_on", "deadline_reason"),
    *("scheduled_on", "scheduled_by_id", "schedule_reason", "announced_for"),
]


def history_of(columns: list[str]) -> Any:
    return leaves_history(
        "onboarding_leaves_history", "onboarding_onboarding", "onboarding_historicalonboarding", columns
    )


def forget_history_of(columns: list[str]) -> migrations.RunSQL:
    """Return the operation that takes the guard away which `history_of` makes, and the other way round."""
    made = history_of(columns)
    return migrations.RunSQL(made.reverse_sql, made.sql)


class Migration(migrations.Migration):
    dependencies = [
        ("onboarding", "0003_plans_notes_and_notices"),
        ("accounts", "0004_system_member_guard"),
    ]

    operations = [
        migrations.RunSQL(TEAM, migrations.RunSQL.noop),  # backwards the system member activates nothing: it is gone
        forget_history_of(MODE),
        history_of([*MODE, *PLANS]),
        append_only("onboarding_note"),
        sealed(),
    ]
