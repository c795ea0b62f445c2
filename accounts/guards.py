"""The triggers on the tables of accounts, and the functions that guards of all apps call."""

from django.utils.translation import gettext_lazy as _

from core.guards import (
    REFUSE_ISOLATION,
    REFUSE_REFERENCED,
    REFUSE_ROW,
    REFUSE_TRUNCATE,
    Function,
    Guard,
    append_only,
    deleted_last,
    keep_keys,
    kept,
    read_committed,
)

ASSIGNMENT_IS_FINAL = Guard(
    "accounts_numberassignment_is_final",
    "accounts_numberassignment",
    "UPDATE OR DELETE",
    """
    IF TG_OP = 'DELETE' THEN REFUSE; END IF;
    IF NOT upper_inf(OLD.period) OR upper_inf(NEW.period) OR lower(NEW.period) <> lower(OLD.period)
        OR NEW.ended_by_id IS NULL
        OR (NEW.id, NEW.account_id, NEW.number_id, NEW.assigned_by_id)
            IS DISTINCT FROM (OLD.id, OLD.account_id, OLD.number_id, OLD.assigned_by_id) THEN REFUSE; END IF;
    """,
    _("The period in which a number was assigned may end once; nothing else of it ever changes."),
)

# Accounts that are older than this rule keep their time zone, and their other columns can be changed.
TIMEZONE_IS_OFFERED = Guard(
    "account_timezone_is_offered",
    "accounts_account",
    "INSERT OR UPDATE",
    """
    IF TG_OP = 'INSERT' OR NEW.timezone <> OLD.timezone THEN
        IF NOT EXISTS (SELECT FROM accounts_timezone WHERE name = NEW.timezone AND is_offered) THEN REFUSE; END IF;
    END IF;
    """,
    "This is not a time zone that can be chosen. Choose a place, like America/New_York, or UTC.",
)

# The next two guards lock the number's row before they check, so that if a number is moved and assigned at the same
# time, the second transaction to lock the row sees the first. Rows from before these guards are not changed: a number
# that is assigned to an account other than its own can still be moved to that account, and unassigned there.
# An UPDATE locks its row before its triggers run, and each statement in them sees what was committed until then.
ASSIGNED_NUMBER_DOES_NOT_MOVE = Guard(
    "assigned_number_does_not_move",
    "accounts_phonenumber",
    "UPDATE",
    """
    IF NEW.account_id IS DISTINCT FROM OLD.account_id AND EXISTS (
        SELECT FROM accounts_numberassignment a
        WHERE a.number_id = OLD.id AND upper_inf(a.period) AND a.account_id IS DISTINCT FROM NEW.account_id)
    THEN REFUSE; END IF;
    """,
    "The number is assigned to Contact Center: unassign it before it moves.",
)
# Calls find their account by the digits, and are charged by the kind.
ASSIGNED_NUMBER_STAYS_ITSELF = Guard(
    "assigned_number_stays_itself",
    "accounts_phonenumber",
    "UPDATE",
    """
    IF (NEW.number, NEW.kind) IS DISTINCT FROM (OLD.number, OLD.kind)
        AND EXISTS (SELECT FROM accounts_numberassignment WHERE number_id = OLD.id)
    THEN REFUSE; END IF;
    """,
    "The digits and the kind of a number that was ever assigned to Contact Center never change.",
)
NUMBER_IS_ASSIGNED_BY_ITS_ACCOUNT = Guard(
    "number_is_assigned_by_its_account",
    "accounts_numberassignment",
    "INSERT",
    """
    IF upper_inf(NEW.period) THEN
        PERFORM FROM accounts_phonenumber n
            WHERE n.id = NEW.number_id AND n.account_id = NEW.account_id FOR SHARE;
        IF NOT FOUND THEN REFUSE; END IF;
    END IF;
    """,
    _("This number is not one of your account's."),
)

SYSTEM_MEMBER_IS_FIXED = Guard(
    "user_system_member_is_fixed",
    "accounts_user",
    "UPDATE",
    "IF NEW.is_system <> OLD.is_system THEN REFUSE; END IF;",
    "Who stands for the schedule never changes.",
)
ACCOUNT_NUMBER_IS_FINAL = Guard(
    "account_number_is_final",
    "accounts_account",
    "UPDATE",
    "IF NEW.number <> OLD.number THEN REFUSE; END IF;",
    "An account's number never changes.",
)

KEYS: list[Guard] = [
    *keep_keys(
        "accounts_account",
        "accounts_user",
        "accounts_user_groups",
        "accounts_user_user_permissions",
        "accounts_contact",
        "accounts_phonenumber",
        "accounts_numberassignment",
        "accounts_serviceuser",
    ),
    *deleted_last("accounts_account", "accounts_user", "accounts_phonenumber"),
]
GUARDS: list[Guard] = [
    *append_only("accounts_refusal", "What was refused"),
    *append_only("accounts_historicaluser", "History"),
    *append_only("accounts_historicalaccount", "History"),
    *append_only("accounts_historicalcontact", "History"),
    *append_only("accounts_historicalserviceuser", "History"),
    *append_only("accounts_historicalphonenumber", "History"),
    ASSIGNMENT_IS_FINAL,
    kept("accounts_numberassignment", "Assignments are never emptied."),
    *read_committed("accounts_account", "accounts_phonenumber", "accounts_numberassignment"),
    TIMEZONE_IS_OFFERED,
    ASSIGNED_NUMBER_DOES_NOT_MOVE,
    ASSIGNED_NUMBER_STAYS_ITSELF,
    NUMBER_IS_ASSIGNED_BY_ITS_ACCOUNT,
    SYSTEM_MEMBER_IS_FIXED,
    ACCOUNT_NUMBER_IS_FINAL,
    *KEYS,
]

# The local day of an instant according to the stored rules of a time zone (R34).
LOCAL_DAY = Function(
    "local_day",
    """
BEGIN
    -- Before the first change that is stored, the first offset counts. A zone without rules has no days: null.
    RETURN (SELECT ((moment AT TIME ZONE 'UTC')
        + z.shifts[greatest(width_bucket(moment, z.since), 1)] * interval '1 second')::date
        FROM accounts_timezone z WHERE z.name = zone);
END """,
    arguments="zone text, moment timestamp with time zone",
    returns="date",
    volatility="STABLE",
)

# True only in a transaction that put its own ID into the setting, and only for a role with the privileges of the
# tables' owner. A setting of a session, role or database can't name a future transaction, so the exemption always ends.
WRITING_HISTORY = Function(
    "writing_history",
    """
BEGIN
    RETURN coalesce(
        current_setting('guards.writing_history', true) = pg_current_xact_id_if_assigned()::text
        AND pg_has_role(current_user, (SELECT relowner FROM pg_class WHERE oid = 'accounts_account'::regclass), 'USAGE'),
        false);
END """,  # noqa: E501
    returns="boolean",
)

# What is decided by its moment is written at that moment, give or take ten minutes, so that a batch may be slow. In
# databases whose names say that they are for tests, cases are replayed with the moments they name.
MADE_NOW = Function(
    "made_now",
    """
BEGIN
    RETURN moment BETWEEN clock_timestamp() - interval '10 minutes' AND clock_timestamp() + interval '10 minutes'
        OR current_database() LIKE 'test\\_%' AND current_setting('guards.clock', true) IS DISTINCT FROM 'refused'
        OR writing_history();
END """,
    arguments="moment timestamp with time zone",
    returns="boolean",
)

# Whether this transaction wrote the row with this xmin: it can be seen, and its transaction, or the part of ours that
# wrote it, has not ended. IDs of transactions start again at 0 after 2^32.
WRITTEN_HERE = Function(
    "written_here",
    """
DECLARE
    ours bigint := pg_current_xact_id()::text::bigint;
    its bigint := (ours >> 32 << 32) + row_xmin::text::bigint;
BEGIN
    IF its < ours - 2147483648 THEN its := its + 4294967296; END IF;
    IF its > ours + 2147483648 THEN its := its - 4294967296; END IF;
    RETURN its >= ours AND pg_xact_status(its::text::xid8) = 'in progress';
END """,
    arguments="row_xmin xid",
    returns="boolean",
)

FUNCTIONS = [
    REFUSE_ROW,
    REFUSE_REFERENCED,
    REFUSE_TRUNCATE,
    REFUSE_ISOLATION,
    LOCAL_DAY,
    WRITING_HISTORY,
    MADE_NOW,
    WRITTEN_HERE,
]
