"""Definitions of guards: name, table, events, body and sentence, and the SQL that is generated from them."""

from dataclasses import KW_ONLY, dataclass
from inspect import cleandoc
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

LazyStr: TypeAlias = "str | _StrPromise"  # lazy if customers may read it, so that it is in their language

# Replaces `REFUSE` in a body. In Python, the error is an IntegrityError that has the guard's name.
REFUSE = (
    "RAISE EXCEPTION '% on % is refused', TG_OP, TG_TABLE_NAME "
    "USING ERRCODE = '23514', CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME"
)


@dataclass(frozen=True)
class Function:
    """A database function, with exactly the source text that the database has."""

    name: str
    source: str
    _: KW_ONLY
    arguments: str = ""
    returns: str = "trigger"
    language: str = "plpgsql"
    volatility: str = "VOLATILE"
    settings: tuple[str, ...] = ()

    def sql(self) -> str:
        """Return the SQL that creates or replaces the function.

        The function has its own search path, so that it always finds our tables. Without it, it would find temporary
        tables of the same name first, which anyone may create.
        """
        return f"""
            CREATE OR REPLACE FUNCTION {self.name}({self.arguments}) RETURNS {self.returns}
                LANGUAGE {self.language} {self.volatility} AS $guard${self.source}$guard$;
            {"".join(f"ALTER FUNCTION {self.name}({self.arguments}) SET {setting};" for setting in self.settings)}
            DO $seal$
            BEGIN
                EXECUTE format('ALTER FUNCTION {self.name}({self.arguments}) SET search_path = pg_catalog, %I, pg_temp',
                    current_schema());
            END $seal$;
        """

    def described(self) -> str:
        """Return the definition to compare, in the format in which the check's query builds it from the catalog."""
        settings = sorted(["search_path=ours", *(setting.replace(" = ", "=") for setting in self.settings)])
        options = [
            self.arguments,
            self.returns,
            self.language,
            self.volatility[0].lower(),
            "invoker",
            ", ".join(settings),
        ]
        return "\n".join([*options, self.source])


@dataclass(frozen=True)
class Guard:
    """A trigger that checks each row before it is written, and the sentence that people read if it refuses.

    `body` is PL/pgSQL, in which `REFUSE` raises the guard's own error. Put conditions in the body, since the type of a
    column named in a trigger's WHEN or UPDATE OF can't be changed later. `declare` has the body's variables, and
    `settings` the server settings with which the function runs.
    """

    name: str
    table: str
    events: str
    body: str
    sentence: LazyStr
    _: KW_ONLY
    declare: str = ""
    settings: tuple[str, ...] = ()

    @property
    def trigger(self) -> str:
        """The statement that creates the trigger, exactly as the database prints it."""
        return f"CREATE TRIGGER {self.name} BEFORE {self._events} ON {self.table} FOR EACH ROW {self._runs}"

    @property
    def function(self) -> Function:
        """The function that the trigger runs."""
        return Function(
            self.name,
            f"""{self._declare}
        BEGIN
            {self._body}
            IF TG_OP = 'DELETE' THEN RETURN OLD; END IF;
            RETURN NEW;
        END """,
            settings=self.settings,
        )

    def sql(self) -> str:
        """Return the SQL that creates the guard, or replaces the existing one.

        An identical trigger is not recreated, since that would lock out writers of its table.
        """
        return f"""
            {self._function_sql()}
            DO $install$
            BEGIN
                IF NOT EXISTS (
                    SELECT FROM pg_trigger WHERE tgrelid = '{self.table}'::regclass AND tgname = '{self.name}'
                        AND pg_get_triggerdef(oid, true) = '{self.trigger}')
                THEN
                    DROP TRIGGER IF EXISTS {self.name} ON {self.table};
                    {self.trigger};
                END IF;
            END $install$;
        """

    def drop_sql(self) -> str:
        """Return the SQL that drops the guard."""
        return f"DROP TRIGGER {self.name} ON {self.table}; DROP FUNCTION {self.name}();"

    def _function_sql(self) -> str:
        return self.function.sql()

    @property
    def _events(self) -> str:
        """The events in the order in which the database prints them."""
        return " OR ".join(event for event in ("INSERT", "DELETE", "UPDATE", "TRUNCATE") if event in self.events)

    @property
    def _runs(self) -> str:
        return f"EXECUTE FUNCTION {self.function.name}()"

    @property
    def _declare(self) -> str:
        return f"\n        DECLARE\n            {cleandoc(self.declare)}" if self.declare else ""

    @property
    def _body(self) -> str:
        text = self.body.replace("REFUSE", REFUSE)
        return f"\n{cleandoc(text)}\n" if "\n" in text else text


@dataclass(frozen=True)
class StatementGuard(Guard):
    """A trigger that checks all rows of a statement at once after it, since a batch writes thousands of rows.

    In the body, `written` (or the name in `rows`) has the rows after the statement, and if it was an UPDATE,
    `before_rows` has the changed rows as they were before.
    """

    _: KW_ONLY
    rows: str = "written"

    @property
    def trigger(self) -> str:
        before = "OLD TABLE AS before_rows " if self.events == "UPDATE" else ""
        return (
            f"CREATE TRIGGER {self.name} AFTER {self._events} ON {self.table} "
            f"REFERENCING {before}NEW TABLE AS {self.rows} FOR EACH STATEMENT {self._runs}"
        )

    @property
    def function(self) -> Function:
        source = f"{self._declare}\n        BEGIN\n            {self._body}\n            RETURN NULL;\n        END "
        return Function(self.name, source, settings=self.settings)


@dataclass(frozen=True)
class HistoryGuard(Guard):
    """A trigger that runs at commit and refuses nothing. Use `leaves_history` to create one."""

    @property
    def trigger(self) -> str:
        return (
            f"CREATE CONSTRAINT TRIGGER {self.name} AFTER {self._events} ON {self.table} "
            f"DEFERRABLE INITIALLY DEFERRED FOR EACH ROW {self._runs}"
        )

    @property
    def function(self) -> Function:
        return Function(self.name, self.body)


@dataclass(frozen=True)
class SharedGuard(Guard):
    """A trigger that runs a function shared by many guards instead of its own."""

    _: KW_ONLY
    runs: Function
    level: str = "STATEMENT"

    @property
    def trigger(self) -> str:
        return f"CREATE TRIGGER {self.name} BEFORE {self._events} ON {self.table} FOR EACH {self.level} {self._runs}"

    @property
    def function(self) -> Function:
        return self.runs

    def drop_sql(self) -> str:
        return f"DROP TRIGGER {self.name} ON {self.table};"

    def _function_sql(self) -> str:
        return ""  # a migration of the accounts app created it


REFUSE_ROW = Function(
    "guard_refuse_row",
    """
BEGIN
    RAISE EXCEPTION '% on % is refused', TG_OP, TG_TABLE_NAME
        USING ERRCODE = '23514', CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME;
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


def leaves_history(name: str, table: str, history: str, columns: list[str], sentence: LazyStr) -> HistoryGuard:
    """Return the guard that adds a missing history row at commit if someone bypassed the application.

    It reads the row as it is at commit. If the latest history row differs in one of `columns`, it adds a history row
    that names the database role instead of a user.

    `history_id + 0` prevents the planner from scanning the whole history backward by its primary key, as it does if the
    table's statistics are outdated: a batch of 40,000 rows in one transaction took 131 s then, and takes 2.3 s now.
    """
    watched = ", ".join(columns)
    source = f"""
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
        END """
    return HistoryGuard(name, table, "INSERT OR UPDATE", source, sentence)
