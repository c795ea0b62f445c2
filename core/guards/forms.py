"""Guards that many tables have, and the database functions that these share."""

from dataclasses import replace

from core.guards.definition import Function, HistoryGuard, KeyGuard, LazyStr, SharedGuard

REFUSE_ROW = Function(
    "guard_refuse_row",
    """
BEGIN
    RAISE EXCEPTION '% on % is refused', TG_OP, TG_TABLE_NAME
        USING ERRCODE = '23514', CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME;
END """,
)
# Foreign keys are checked at commit, when another row may have taken the place of the deleted one. This looks now.
REFUSE_REFERENCED = Function(
    "guard_refuse_referenced",
    """
DECLARE
    reference record;
    is_referenced boolean;
BEGIN
    FOR reference IN
        SELECT conrelid::regclass AS place, attname FROM pg_constraint
            JOIN pg_attribute ON attrelid = conrelid AND attnum = conkey[1]
            WHERE contype = 'f' AND confrelid = TG_RELID AND confkey = ARRAY[
                (SELECT attnum FROM pg_attribute WHERE attrelid = TG_RELID AND attname = 'id')]
    LOOP
        EXECUTE format('SELECT EXISTS (SELECT FROM %s WHERE %I = $1)', reference.place, reference.attname)
            INTO is_referenced USING OLD.id;
        IF is_referenced THEN
            RAISE EXCEPTION '% on % is refused', TG_OP, TG_TABLE_NAME
                USING ERRCODE = '23514', CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME;
        END IF;
    END LOOP;
    RETURN OLD;
END """,
)
# Tests truncate tables of their own databases, which Django names test_…, so there the guard is off unless a test turns
# it on.
REFUSE_TRUNCATE = Function(
    "guard_refuse_truncate",
    """
BEGIN
    IF current_database() LIKE 'test\\_%' AND current_setting('guards.truncate', true) IS DISTINCT FROM 'refused' THEN
        RETURN NULL;
    END IF;
    RAISE EXCEPTION '% on % is refused', TG_OP, TG_TABLE_NAME
        USING ERRCODE = '23514', CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME;
END """,
)
REFUSE_ISOLATION = Function(
    "guard_refuse_isolation",
    """
BEGIN
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION '% on % is refused', TG_OP, TG_TABLE_NAME
            USING ERRCODE = '23514', CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME;
    END IF;
    RETURN NULL;
END """,
)


def kept(table: str, sentence: LazyStr) -> SharedGuard:
    """Return the guard that refuses to TRUNCATE a table."""
    return SharedGuard(f"{table}_is_kept", table, "TRUNCATE", "", sentence, runs=REFUSE_TRUNCATE)


def append_only(table: str, what: str) -> list[SharedGuard]:
    """Return the two guards of a table whose rows are never changed or deleted; `what` starts their sentences."""
    return final_and_kept(table, f"{what} is never changed or deleted.", f"{what} is never emptied.")


def final_and_kept(table: str, final: LazyStr, emptied: LazyStr) -> list[SharedGuard]:
    """Return the two guards of a table whose rows are never changed or deleted, each with its own sentence."""
    row = SharedGuard(f"{table}_is_final", table, "UPDATE OR DELETE", "", final, runs=REFUSE_ROW, level="ROW")
    return [row, kept(table, emptied)]


def read_committed(*tables: str) -> list[SharedGuard]:
    """Return the guards of tables that may be written only at isolation level READ COMMITTED (I27).

    The locking protocol is "lock, then look", and only READ COMMITTED sees what was committed in the meantime.
    """
    sentence = "The database must answer at READ COMMITTED; at another isolation level nothing is written."
    return [
        SharedGuard(f"{table}_is_read_committed", table, "INSERT OR UPDATE", "", sentence, runs=REFUSE_ISOLATION)
        for table in tables
    ]


def keep_keys(*tables: str, **columns: str) -> list[KeyGuard]:
    """Return the guards of tables whose rows never change their primary key (I23).

    Foreign keys are checked at commit. So without this guard, two rows could exchange their keys, and each would have
    what belongs to the other. The key's column is `id`, but for the tables that are named with theirs.
    """
    sentence = "A row's key never changes, so no row can take the place of another."
    keys = {**dict.fromkeys(tables, "id"), **columns}
    return [
        KeyGuard(f"{table}_keeps_its_key", table, "UPDATE", "", sentence, runs=REFUSE_ROW, level="ROW", column=column)
        for table, column in keys.items()
    ]


def deleted_last(*tables: str) -> list[SharedGuard]:
    """Return the guards of tables whose rows are deleted only once no other row refers to them (I23).

    Otherwise a row could be deleted, and another one inserted with its key, before foreign keys are checked at commit.
    """
    sentence = "Other rows refer to this one, so it can't be deleted."
    return [
        SharedGuard(f"{table}_is_deleted_last", table, "DELETE", "", sentence, runs=REFUSE_REFERENCED, level="ROW")
        for table in tables
    ]


def leaves_history(name: str, table: str, history: str, columns: list[str], sentence: LazyStr) -> HistoryGuard:
    """Return the guard that adds a missing history row at commit if someone bypassed the application.

    It reads the row as it is at commit. If one of `columns` was written, and the latest history row differs in one of
    them or was there before this transaction, it adds a history row that names the database role instead of a user.
    Otherwise a history row planted beforehand would hide the change that it describes.

    `history_id + 0` prevents the planner from scanning the whole history backward by its primary key, as it does if the
    table's statistics are outdated: a batch of 40,000 rows in one transaction took 131 s then, and takes 2.3 s now.
    """
    watched = ", ".join(columns)
    written = ", ".join(f"NEW.{column}" for column in columns)
    before = ", ".join(f"OLD.{column}" for column in columns)
    source = f"""
        DECLARE
            stands record;
            latest record;
            every text;
        BEGIN
            IF TG_OP = 'UPDATE' AND ({written}) IS NOT DISTINCT FROM ({before}) THEN RETURN NULL; END IF;
            SELECT {watched} INTO stands FROM {table} WHERE id = NEW.id;
            IF NOT FOUND THEN RETURN NULL; END IF;
            SELECT {watched} INTO latest FROM {history}
                WHERE id = NEW.id AND written_here(xmin) ORDER BY history_id + 0 DESC LIMIT 1;
            IF FOUND AND latest IS NOT DISTINCT FROM stands THEN RETURN NULL; END IF;
            SELECT string_agg(quote_ident(attname), ', ') INTO every FROM pg_attribute
                WHERE attrelid = '{table}'::regclass AND attnum > 0 AND NOT attisdropped;
            EXECUTE format(
                'INSERT INTO {history} (%1$s, history_date, history_type, history_user_id, history_change_reason) '
                'SELECT %1$s, clock_timestamp(), $2, NULL, $3 FROM {table} WHERE id = $1', every)
                USING NEW.id, CASE TG_OP WHEN 'INSERT' THEN '+' ELSE '~' END,
                    left('Written past the application by the database role ' || session_user, 100);
            RETURN NULL;
        END """
    return HistoryGuard(name, table, "INSERT OR UPDATE", source, sentence)


def leaves_history_if_none_fits(guard: HistoryGuard) -> HistoryGuard:
    """Return the guard as earlier releases had it, for migrations: a fitting history row of any age was enough."""
    body = guard.body.replace("\n                WHERE id = NEW.id AND written_here(xmin)", " WHERE id = NEW.id")
    unwritten, same, rest = body.partition("IF TG_OP = 'UPDATE' AND ")
    assert same, guard.name
    return replace(guard, body=unwritten + rest.partition("RETURN NULL; END IF;\n            ")[2])
