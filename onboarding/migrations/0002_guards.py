"""Triggers: the mode is born as onboarding, is ended once, by the team, and leaves history."""

from django.db import migrations

from core.migration_guards import append_only, guard, kept, leaves_history, sealed

BORN = "IF NEW.activated_at IS NOT NULL THEN REFUSE; END IF;"

FINAL = """
IF (NEW.id, NEW.account_id, NEW.started_at) IS DISTINCT FROM (OLD.id, OLD.account_id, OLD.started_at) THEN
    REFUSE;
END IF;
IF OLD.activated_at IS NOT NULL
    AND (NEW.activated_at, NEW.activated_by_id, NEW.activated_from, NEW.reason)
        IS DISTINCT FROM (OLD.activated_at, OLD.activated_by_id, OLD.activated_from, OLD.reason) THEN
    REFUSE;
END IF;
IF OLD.activated_at IS NULL AND NEW.activated_at > clock_timestamp() + interval '10 minutes'
    -- Cases are replayed with the moments they name, in databases whose names say that they are for trying.
    AND NOT (current_database() LIKE 'test\\_%' AND current_setting('guards.clock', true) IS DISTINCT FROM 'refused')
THEN
    REFUSE;
END IF;
"""

# Asked once for each statement, not for each row: a batch activates thousands by the same person.
TEAM = """
CREATE FUNCTION onboarding_activated_by_the_team() RETURNS trigger LANGUAGE plpgsql AS $guard$
BEGIN
    IF EXISTS (
        SELECT FROM (SELECT DISTINCT n.activated_by_id AS id FROM after_rows n JOIN before_rows o ON o.id = n.id
                     WHERE o.activated_at IS NULL AND n.activated_at IS NOT NULL) activator
        WHERE NOT EXISTS (
            SELECT FROM accounts_user u
            WHERE u.id = activator.id AND u.is_active AND u.is_staff AND (u.is_superuser OR EXISTS (
                SELECT FROM auth_permission p
                JOIN django_content_type t ON t.id = p.content_type_id
                WHERE p.codename = 'activate_account' AND t.app_label = 'onboarding' AND (
                    EXISTS (SELECT FROM accounts_user_user_permissions g
                            WHERE g.user_id = u.id AND g.permission_id = p.id)
                    OR EXISTS (SELECT FROM accounts_user_groups m
                               JOIN auth_group_permissions g ON g.group_id = m.group_id
                               WHERE m.user_id = u.id AND g.permission_id = p.id)))))
    ) THEN
        RAISE EXCEPTION '% on % is refused', TG_OP, TG_TABLE_NAME
            USING ERRCODE = '23514', CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME;
    END IF;
    RETURN NULL;
END $guard$;
CREATE TRIGGER onboarding_activated_by_the_team AFTER UPDATE ON onboarding_onboarding
    REFERENCING OLD TABLE AS before_rows NEW TABLE AS after_rows
    FOR EACH STATEMENT EXECUTE FUNCTION onboarding_activated_by_the_team();
"""

ZONE = """
IF NEW.timezone <> OLD.timezone AND EXISTS (SELECT FROM onboarding_onboarding WHERE account_id = OLD.id) THEN
    REFUSE;
END IF;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("onboarding", "0001_initial"),
        ("accounts", "0002_guards"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]

    operations = [
        guard("onboarding_is_born_in_onboarding", "onboarding_onboarding", "INSERT", BORN),
        guard("onboarding_activation_is_final", "onboarding_onboarding", "UPDATE", FINAL),
        migrations.RunSQL(
            TEAM,
            "DROP TRIGGER onboarding_activated_by_the_team ON onboarding_onboarding;"
            "DROP FUNCTION onboarding_activated_by_the_team();",
        ),
        guard("onboarding_is_never_deleted", "onboarding_onboarding", "DELETE", "REFUSE;"),
        kept("onboarding_onboarding"),
        leaves_history(
            "onboarding_leaves_history",
            "onboarding_onboarding",
            "onboarding_historicalonboarding",
            ["account_id", "started_at", "activated_at", "activated_by_id", "activated_from", "reason"],
        ),
        guard("account_timezone_is_fixed", "accounts_account", "UPDATE", ZONE),
        append_only("onboarding_historicalonboarding"),
        append_only("onboarding_historicalgoliverequest"),
        sealed(),
    ]
