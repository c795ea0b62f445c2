"""A guard: its name, table, events, body and sentence, and from these the SQL that the database holds."""

from dataclasses import KW_ONLY, dataclass
from inspect import cleandoc
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

LazyStr: TypeAlias = "str | _StrPromise"  # a promise where a customer can meet it: in the language of who reads it

# What `REFUSE` in a body stands for. The error reaches Python as an IntegrityError that carries the guard's name.
REFUSE = (
    "RAISE EXCEPTION '% on % is refused', TG_OP, TG_TABLE_NAME "
    "USING ERRCODE = '23514', CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME"
)


@dataclass(frozen=True)
class Function:
    """A function of the database, with exactly the text it has there."""

    name: str
    source: str
    _: KW_ONLY
    arguments: str = ""
    returns: str = "trigger"
    language: str = "plpgsql"
    volatility: str = "VOLATILE"
    settings: tuple[str, ...] = ()

    def sql(self) -> str:
        """Return the SQL that makes the function, or brings the one that is there to this text.

        It finds our tables whoever calls it: without a search path of its own it would find a temporary table of the
        same name first, which anybody may make.
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
        """Return all that counts of it, as the check's query puts it together from the catalog."""
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
    """A trigger that looks at each row before it is written, and what a person is told whom it refuses.

    `body` is plpgsql; `REFUSE` in it stands for raising the guard's own error. Conditions belong in the body: a column
    named in a trigger's WHEN or UPDATE OF can't change its type later. `declare` has the body's variables, and
    `settings` those of the server under which the function runs.
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
        """The statement that makes the trigger, in the words in which the database repeats it."""
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
        """Return the SQL that makes the guard, or brings the one that is there to what is said here.

        The trigger is left alone if it is the same: to make it again, writers of its table would have to wait.
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
        """Return the SQL that takes the guard away."""
        return f"DROP TRIGGER {self.name} ON {self.table}; DROP FUNCTION {self.name}();"

    def _function_sql(self) -> str:
        return self.function.sql()

    @property
    def _events(self) -> str:
        """The events in the order in which the database names them."""
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
    """A trigger that looks once, after a statement, at all the rows it wrote: a batch writes thousands.

    The rows as they are then are `written` in the body, unless `rows` calls them otherwise; those that an UPDATE
    changed are `before_rows` as they were.
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
    """A trigger that waits for the commit and refuses nothing; made by `leaves_history`."""

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
    """A trigger that runs a function which many guards share, instead of a body of its own."""

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
        return ""  # a migration of accounts made it


REFUSE_ROW = Function(
    "guard_refuse_row",
    """
BEGIN
    RAISE EXCEPTION '% on % is refused', TG_OP, TG_TABLE_NAME
        USING ERRCODE = '23514', CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME;
END """,
)
# Tests empty their own databases, which Django names test_…; there the guard sleeps unless a test wakes it.
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
    """Return the two guards of a table to which rows are only ever added."""
    return final_and_kept(table, f"{what} is never changed or deleted.", f"{what} is never emptied.")


def final_and_kept(table: str, final: LazyStr, emptied: LazyStr) -> list[SharedGuard]:
    """Return the two guards of a table to which rows are only ever added, each with its own sentence."""
    row = SharedGuard(f"{table}_is_final", table, "UPDATE OR DELETE", "", final, runs=REFUSE_ROW, level="ROW")
    return [row, kept(table, emptied)]


def read_committed(*tables: str) -> list[SharedGuard]:
    """Return the guards of tables that are written at READ COMMITTED only (I27).

    The locking protocol is "lock, then look", and only READ COMMITTED looks at what was committed meanwhile.
    """
    sentence = "The database must answer at READ COMMITTED; at another isolation level nothing is written."
    return [
        SharedGuard(f"{table}_is_read_committed", table, "INSERT OR UPDATE", "", sentence, runs=REFUSE_ISOLATION)
        for table in tables
    ]


def leaves_history(name: str, table: str, history: str, columns: list[str], sentence: LazyStr) -> HistoryGuard:
    """Return the guard that adds the missing history row, at commit, of whoever wrote past the application.

    It looks at the row as it stands then: where the latest history row says otherwise in one of `columns`, it adds one
    that names the database role instead of a user.

    `history_id + 0` keeps the planner from walking the whole history backwards by its primary key, which it does where
    the table's statistics are old: a batch of 40,000 rows in one transaction took 131 s so, and takes 2.3 s.
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
