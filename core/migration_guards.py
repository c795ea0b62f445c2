"""SQL of guards for old migrations, written before each guard had a single definition. Its output must never change.

Later migrations use `install` or `replace` (`core/guards/operations.py`).
"""

from django.db.migrations import RunSQL


def append_only(table: str) -> RunSQL:
    """Return the operation that makes a table append-only."""
    return RunSQL(
        f"""
        CREATE TRIGGER {table}_is_final BEFORE UPDATE OR DELETE ON {table}
            FOR EACH ROW EXECUTE FUNCTION guard_refuse_row();
        CREATE TRIGGER {table}_is_kept BEFORE TRUNCATE ON {table}
            FOR EACH STATEMENT EXECUTE FUNCTION guard_refuse_truncate();
        """,
        f"""
        DROP TRIGGER {table}_is_kept ON {table};
        DROP TRIGGER {table}_is_final ON {table};
        """,
    )


def kept(table: str) -> RunSQL:
    """Return the operation that refuses to TRUNCATE a table."""
    return RunSQL(
        f"""
        CREATE TRIGGER {table}_is_kept BEFORE TRUNCATE ON {table}
            FOR EACH STATEMENT EXECUTE FUNCTION guard_refuse_truncate();
        """,
        f"DROP TRIGGER {table}_is_kept ON {table};",
    )


def guard(name: str, table: str, events: str, body: str) -> RunSQL:
    """Return the operation that creates a row trigger, and the function of the same name that it runs.

    `body` is PL/pgSQL, in which `REFUSE` raises the guard's own error. Conditions are in the body, since the type of a
    column named in a trigger's WHEN or UPDATE OF can't be changed later.
    """
    refuse = (
        "RAISE EXCEPTION '% on % is refused', TG_OP, TG_TABLE_NAME "
        "USING ERRCODE = '23514', CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME"
    )
    return RunSQL(
        f"""
        CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $guard$
        BEGIN
            {body.replace("REFUSE", refuse)}
            IF TG_OP = 'DELETE' THEN RETURN OLD; END IF;
            RETURN NEW;
        END $guard$;
        CREATE TRIGGER {name} BEFORE {events} ON {table} FOR EACH ROW EXECUTE FUNCTION {name}();
        """,
        f"""
        DROP TRIGGER {name} ON {table};
        DROP FUNCTION {name}();
        """,
    )


def read_committed(table: str) -> RunSQL:
    """Return the operation that refuses writes to a table at any isolation level other than READ COMMITTED.

    The locking protocol is "lock, then look", and only READ COMMITTED sees what was committed in the meantime.
    """
    return RunSQL(
        f"""
        CREATE TRIGGER {table}_is_read_committed BEFORE INSERT OR UPDATE ON {table}
            FOR EACH STATEMENT EXECUTE FUNCTION guard_refuse_isolation();
        """,
        f"DROP TRIGGER {table}_is_read_committed ON {table};",
    )


def local_day_of(moment: str, zone: str) -> str:
    """Return the SQL of an instant's local day; `zone` is the alias of accounts_timezone, joined by the query."""
    place = f"greatest(width_bucket({moment}, {zone}.since), 1)"
    return f"(({moment} AT TIME ZONE 'UTC') + {zone}.shifts[{place}] * interval '1 second')::date"


def leaves_history(name: str, table: str, history: str, columns: list[str]) -> RunSQL:
    """Return the operation that creates a trigger like that of `core.guards.leaves_history`."""
    watched = ", ".join(columns)
    return RunSQL(
        f"""
        CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $guard$
        DECLARE
            stands record;
            latest record;
            every text;
        BEGIN
            SELECT {watched} INTO stands FROM {table} WHERE id = NEW.id;
            IF NOT FOUND THEN RETURN NULL; END IF;
            SELECT {watched} INTO latest FROM {history} WHERE id = NEW.id ORDER BY history_id + 0 DESC LIMIT 1;
            IF FOUND AND latest IS NOT DISTINCT FROM stands THEN RETURN NULL; END IF;
            SELECT string_agg(quote_ident(attname), ', ') INTO every FROM pg_attribute
                WHERE attrelid = '{table}'::regclass AND attnum > 0 AND NOT attisdropped;
            EXECUTE format(
                'INSERT INTO {history} (%1$s, history_date, history_type, history_user_id, history_change_reason) '
                'SELECT %1$s, clock_timestamp(), $2, NULL, $3 FROM {table} WHERE id = $1', every)
                USING NEW.id, CASE TG_OP WHEN 'INSERT' THEN '+' ELSE '~' END,
                    left('Written past the application by the database role ' || session_user, 100);
            RETURN NULL;
        END $guard$;
        CREATE CONSTRAINT TRIGGER {name} AFTER INSERT OR UPDATE ON {table}
            DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION {name}();
        """,
        f"""
        DROP TRIGGER {name} ON {table};
        DROP FUNCTION {name}();
        """,
    )


def sealed() -> RunSQL:
    """Return the last operation of a migration of guards, which sets the search path of their functions.

    Without it, they would find temporary tables of the same name first, which anyone may create. The triggers of the
    job queue belong to its library and are not changed.
    """
    return RunSQL(
        """
        DO $seal$
        DECLARE
            guard regprocedure;
        BEGIN
            FOR guard IN
                SELECT DISTINCT p.oid::regprocedure FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid
                WHERE NOT t.tgisinternal AND p.pronamespace = current_schema()::regnamespace AND p.proconfig IS NULL
                    AND p.proname !~ '^procrastinate_'
            LOOP
                EXECUTE format('ALTER FUNCTION %s SET search_path = pg_catalog, %I, pg_temp', guard, current_schema());
            END LOOP;
        END $seal$;
        """,
        RunSQL.noop,
    )
