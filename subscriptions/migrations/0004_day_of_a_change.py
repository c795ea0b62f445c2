"""The day of each change is stored, and guarded; so is the order of the days that were decided (billing policy 15)."""

from django.db import migrations, models

from core.migration_guards import guard, read_committed, sealed

# The day that the ledger used, which Python decided by the rules of its machine. Where these were others than the
# server's, the rows that the change wrote say so: what is not smaller than what it replaces counts from the day on, a
# reduction from the next. A row that was there before and only goes on says nothing, nor does a smaller package, which
# waits for the 1st.
FILL = """
ALTER TABLE subscriptions_change DISABLE TRIGGER USER;
WITH decided AS (
    SELECT d.id, coalesce((d.at AT TIME ZONE n.name)::date, local_day(a.timezone, d.at), (d.at AT TIME ZONE 'UTC')::date)
        AS day, (d.at AT TIME ZONE n.name)::time = '00:00' IS TRUE AS at_midnight
    FROM subscriptions_change d JOIN accounts_account a ON a.id = d.account_id
    LEFT JOIN pg_timezone_names n ON n.name = a.timezone
), opened AS (
    SELECT h.change_id AS id, h.slot, lower(h.period) AS first,
        before.id IS NOT NULL AND h.quantity + i.size < before.quantity + was.size AS is_smaller
    FROM subscriptions_holding h JOIN subscriptions_item i ON i.id = h.item_id
    LEFT JOIN (subscriptions_holding before JOIN subscriptions_item was ON was.id = before.item_id)
        ON before.account_id = h.account_id AND before.slot = h.slot AND upper(before.period) = lower(h.period)
        AND before.change_id <= h.change_id AND coalesce(before.superseded_by_id > h.change_id, true)
    WHERE upper_inf(h.period) AND NOT EXISTS (
        SELECT FROM subscriptions_holding same
        WHERE same.superseded_by_id = h.change_id AND same.account_id = h.account_id AND same.slot = h.slot
            AND same.item_id = h.item_id AND same.quantity = h.quantity AND lower(same.period) = lower(h.period))
), told AS (
    SELECT id, first - CASE WHEN is_smaller THEN 1 ELSE 0 END AS day FROM opened WHERE NOT (is_smaller AND slot = -3)
    UNION ALL
    SELECT h.change_id, upper(h.period) - 1 FROM subscriptions_holding h
    WHERE NOT upper_inf(h.period) AND NOT EXISTS (
        SELECT FROM subscriptions_holding after
        WHERE after.change_id = h.change_id AND after.slot = h.slot AND lower(after.period) >= upper(h.period))
)
UPDATE subscriptions_change c SET day = coalesce(
    (SELECT min(told.day) FROM told WHERE told.id = decided.id AND NOT decided.at_midnight
        HAVING bool_and(told.day <> decided.day) AND min(told.day) BETWEEN decided.day - 1 AND decided.day + 1),
    decided.day)
FROM decided WHERE decided.id = c.id;
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

# Asked once for each statement: a batch activates thousands. NOT IN is looked up in a hash, as in onboarding's 0012.
ORDER = """
CREATE FUNCTION activation_follows_changes() RETURNS trigger LANGUAGE plpgsql AS $guard$
BEGIN
    IF EXISTS (
        SELECT FROM after_rows n
        WHERE n.activated_at IS NOT NULL AND n.id NOT IN (SELECT id FROM before_rows WHERE activated_at IS NOT NULL)
            AND n.activated_on < (
                SELECT c.day FROM subscriptions_change c WHERE c.account_id = n.account_id
                ORDER BY c.version DESC LIMIT 1)
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
