"""The one exemption from guards about time: the owner of the tables, for one transaction (invariants.md)."""

from django.db import migrations

# True only in a transaction that named itself, for a role that the owner of the tables trusts as itself. A setting made
# for a session, a role or a database names no transaction that is still to come, so the exemption can't stay on.
FUNCTION = """
CREATE FUNCTION writing_history() RETURNS boolean LANGUAGE plpgsql AS $guard$
BEGIN
    RETURN coalesce(
        current_setting('guards.writing_history', true) = pg_current_xact_id_if_assigned()::text
        AND pg_has_role(current_user, (SELECT relowner FROM pg_class WHERE oid = 'accounts_account'::regclass), 'USAGE'),
        false);
END $guard$;
DO $seal$
BEGIN
    EXECUTE format('ALTER FUNCTION writing_history() SET search_path = pg_catalog, %I, pg_temp', current_schema());
END $seal$;
"""


class Migration(migrations.Migration):
    dependencies = [("accounts", "0004_system_member_guard")]

    operations = [migrations.RunSQL(FUNCTION, "DROP FUNCTION writing_history();")]
