"""Guards: a stored day is its instant's, by the pinned rules of the account's zone, and is final (I24)."""

from django.db import migrations, models
from django.db.models import Q

from core.migration_guards import local_day_of, read_committed, sealed

FUNCTION = """
CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $guard$
BEGIN
    {body}
    RETURN NEW;
END $guard$;
"""
REFUSE = (
    "RAISE EXCEPTION '% on % is refused', TG_OP, TG_TABLE_NAME "
    "USING ERRCODE = '23514', CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME"
)

BORN_BEFORE = f"IF NEW.activated_at IS NOT NULL THEN {REFUSE}; END IF;"
# A writer who leaves the day out gets the right one; another one is refused, and so is a zone without rules.
BORN = f"""
IF NEW.activated_at IS NOT NULL THEN {REFUSE}; END IF;
NEW.started_on := coalesce(NEW.started_on,
    local_day((SELECT timezone FROM accounts_account WHERE id = NEW.account_id), NEW.started_at));
IF NEW.started_on IS DISTINCT FROM
    local_day((SELECT timezone FROM accounts_account WHERE id = NEW.account_id), NEW.started_at) THEN
    {REFUSE};
END IF;
"""

CLOCK = f"""
IF OLD.activated_at IS NULL AND NEW.activated_at > clock_timestamp() + interval '10 minutes'
    -- Cases are replayed with the moments they name, in databases whose names say that they are for trying.
    AND NOT (current_database() LIKE 'test\\_%' AND current_setting('guards.clock', true) IS DISTINCT FROM 'refused')
THEN {REFUSE}; END IF;
"""
FINAL_BEFORE = f"""
IF (NEW.id, NEW.account_id, NEW.started_at) IS DISTINCT FROM (OLD.id, OLD.account_id, OLD.started_at) THEN
    {REFUSE};
END IF;
IF OLD.activated_at IS NOT NULL
    AND (NEW.activated_at, NEW.activated_by_id, NEW.activated_from, NEW.reason)
        IS DISTINCT FROM (OLD.activated_at, OLD.activated_by_id, OLD.activated_from, OLD.reason) THEN
    {REFUSE};
END IF;
{CLOCK}
"""
FINAL = f"""
IF (NEW.id, NEW.account_id, NEW.started_at, NEW.started_on)
    IS DISTINCT FROM (OLD.id, OLD.account_id, OLD.started_at, OLD.started_on) THEN
    {REFUSE};
END IF;
IF OLD.activated_at IS NOT NULL
    AND (NEW.activated_at, NEW.activated_on, NEW.activated_by_id, NEW.activated_from, NEW.reason)
        IS DISTINCT FROM (OLD.activated_at, OLD.activated_on, OLD.activated_by_id, OLD.activated_from, OLD.reason) THEN
    {REFUSE};
END IF;
{CLOCK}
IF OLD.activated_at IS NULL AND NEW.activated_at IS NOT NULL AND NEW.activated_on IS NULL THEN
    NEW.activated_on :=
        local_day((SELECT timezone FROM accounts_account WHERE id = NEW.account_id), NEW.activated_at);
END IF;
"""

# Asked once for each statement: a batch activates thousands. NOT IN is looked up in a hash; of a join of the rows before
# and after, the planner expects one row, and loops over all of them for each. OFFSET 0 has it
# look accounts up for the rows, never the rows for each account, however old its statistics are.
DAY = f"""
CREATE FUNCTION activation_day_is_local() RETURNS trigger LANGUAGE plpgsql AS $guard$
BEGIN
    IF EXISTS (
        SELECT FROM after_rows n
        CROSS JOIN LATERAL (SELECT timezone FROM accounts_account WHERE id = n.account_id OFFSET 0) a
        LEFT JOIN accounts_timezone z ON z.name = a.timezone
        WHERE n.activated_at IS NOT NULL AND n.id NOT IN (SELECT id FROM before_rows WHERE activated_at IS NOT NULL)
            AND n.activated_on IS DISTINCT FROM {local_day_of("n.activated_at", "z")}
    ) THEN
        {REFUSE};
    END IF;
    RETURN NULL;
END $guard$;
CREATE TRIGGER activation_day_is_local AFTER UPDATE ON onboarding_onboarding
    REFERENCING OLD TABLE AS before_rows NEW TABLE AS after_rows
    FOR EACH STATEMENT EXECUTE FUNCTION activation_day_is_local();
"""


def replaced(name: str, before: str, after: str) -> migrations.RunSQL:
    """Return the operation that gives a guard another body, and the other way round."""
    return migrations.RunSQL(FUNCTION.format(name=name, body=after), FUNCTION.format(name=name, body=before))


class Migration(migrations.Migration):
    dependencies = [("onboarding", "0011_days_of_the_mode")]

    operations = [
        migrations.RunSQL(migrations.RunSQL.noop, sealed().sql),  # what the way back replaces is sealed at its end
        migrations.RemoveConstraint("onboarding", "activation_is_whole"),
        migrations.AddConstraint(
            "onboarding",
            models.CheckConstraint(
                condition=Q(activated_at=None, activated_on=None, activated_by=None, activated_from="", reason="")
                | Q(activated_at__isnull=False, activated_on__isnull=False, activated_by__isnull=False)
                & Q(activated_from__in=["admin", "batch", "schedule"])
                & ~Q(reason=""),
                name="activation_is_whole",
                violation_error_message="An activation names when, by whom, from where and why.",
            ),
        ),
        replaced("onboarding_is_born_in_onboarding", BORN_BEFORE, BORN),
        replaced("onboarding_activation_is_final", FINAL_BEFORE, FINAL),
        migrations.RunSQL(
            DAY,
            "DROP TRIGGER activation_day_is_local ON onboarding_onboarding; DROP FUNCTION activation_day_is_local();",
        ),
        read_committed("onboarding_onboarding"),
        sealed(),
    ]
