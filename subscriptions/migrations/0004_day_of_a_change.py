"""The day of each change is stored, and guarded; so is the order of the days that were decided (billing policy 15)."""

from django.db import migrations, models

from accounts.migration_guards import guard, read_committed, sealed

# The day that the ledger used, which Python decided by the rules of its machine: where these were others than the
# server's, the row that the change left open says so. What is new counts from the day on, a reduction from the next.
FILL = """
ALTER TABLE subscriptions_change DISABLE TRIGGER USER;
UPDATE subscriptions_change c SET day = CASE
    WHEN EXISTS (SELECT FROM subscriptions_holding h WHERE h.change_id = c.id
        AND upper_inf(h.period) AND lower(h.period) = decided.day - 1) THEN decided.day - 1
    WHEN EXISTS (SELECT FROM subscriptions_holding h WHERE h.change_id = c.id
        AND upper_inf(h.period) AND h.slot <> -3 AND lower(h.period) = decided.day + 2) THEN decided.day + 1
    WHEN EXISTS (SELECT FROM subscriptions_holding h WHERE h.change_id = c.id
        AND upper_inf(h.period) AND h.slot <> -3 AND lower(h.period) = decided.day + 1
        AND NOT EXISTS (SELECT FROM subscriptions_holding b WHERE b.change_id = c.id AND b.slot = h.slot
            AND upper(b.period) = decided.day + 1)) THEN decided.day + 1
    ELSE decided.day END
FROM (
    SELECT d.id, coalesce((d.at AT TIME ZONE n.name)::date, local_day(a.timezone, d.at), (d.at AT TIME ZONE 'UTC')::date)
        AS day
    FROM subscriptions_change d JOIN accounts_account a ON a.id = d.account_id
    LEFT JOIN pg_timezone_names n ON n.name = a.timezone
) decided WHERE decided.id = c.id;
SET CONSTRAINTS ALL IMMEDIATE;
ALTER TABLE subscriptions_change ENABLE TRIGGER USER;
"""

# A writer who leaves the day out gets the right one; another one is refused, and so is a zone without rules.
DECIDED = """
NEW.day := coalesce(NEW.day, local_day((SELECT timezone FROM accounts_account WHERE id = NEW.account_id), NEW.at));
IF NEW.day IS DISTINCT FROM local_day((SELECT timezone FROM accounts_account WHERE id = NEW.account_id), NEW.at)
    OR NEW.day < (SELECT max(day) FROM subscriptions_change WHERE account_id = NEW.account_id)
    OR NEW.day < (SELECT activated_on FROM onboarding_onboarding WHERE account_id = NEW.account_id) THEN REFUSE; END IF;
"""

# Asked once for each statement: a batch activates thousands.
ORDER = """
CREATE FUNCTION activation_follows_changes() RETURNS trigger LANGUAGE plpgsql AS $guard$
BEGIN
    IF EXISTS (
        SELECT FROM after_rows n JOIN before_rows o ON o.id = n.id
        WHERE o.activated_at IS NULL AND n.activated_at IS NOT NULL AND n.activated_on < (
            SELECT c.day FROM subscriptions_change c WHERE c.account_id = n.account_id ORDER BY c.version DESC LIMIT 1)
    ) THEN
        RAISE EXCEPTION '% on % is refused', TG_OP, TG_TABLE_NAME
            USING ERRCODE = '23514', CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME;
    END IF;
    RETURN NULL;
END $guard$;
CREATE TRIGGER activation_follows_changes AFTER UPDATE ON onboarding_onboarding
    REFERENCING OLD TABLE AS before_rows NEW TABLE AS after_rows
    FOR EACH STATEMENT EXECUTE FUNCTION activation_follows_changes();
"""
HELP = "The local day of the change, decided when it was made."


class Migration(migrations.Migration):
    dependencies = [("subscriptions", "0003_price_is_not_moved_back"), ("onboarding", "0012_guards_of_the_days")]

    operations = [
        migrations.AddField("change", "day", models.DateField(null=True, help_text=HELP)),
        migrations.RunSQL(FILL, migrations.RunSQL.noop),
        migrations.AlterField("change", "day", models.DateField(help_text=HELP)),
        guard("change_day_is_decided", "subscriptions_change", "INSERT", DECIDED),
        migrations.RunSQL(
            ORDER,
            "DROP TRIGGER activation_follows_changes ON onboarding_onboarding;"
            "DROP FUNCTION activation_follows_changes();",
        ),
        read_committed("subscriptions_change"),
        read_committed("subscriptions_contactcenter"),
        read_committed("subscriptions_holding"),
        read_committed("subscriptions_price"),
        sealed(),
    ]
