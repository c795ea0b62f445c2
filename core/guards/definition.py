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
class DeferredGuard(Guard):
    """A trigger that checks each row at commit, when all that belongs to it is written. Not for rows of batches."""

    @property
    def trigger(self) -> str:
        return (
            f"CREATE CONSTRAINT TRIGGER {self.name} AFTER {self._events} ON {self.table} "
            f"DEFERRABLE INITIALLY DEFERRED FOR EACH ROW {self._runs}"
        )


@dataclass(frozen=True)
class HistoryGuard(DeferredGuard):
    """A trigger that runs at commit and refuses nothing. Use `leaves_history` to create one."""

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


@dataclass(frozen=True)
class KeyGuard(SharedGuard):
    """A trigger that refuses to change a row's primary key. It is asked only by statements that write that column.

    The type of a primary key never changes, so its column may be named in UPDATE OF and WHEN.
    """

    _: KW_ONLY
    column: str = "id"

    @property
    def trigger(self) -> str:
        return (
            f"CREATE TRIGGER {self.name} BEFORE UPDATE OF {self.column} ON {self.table} FOR EACH ROW "
            f"WHEN (old.{self.column} IS DISTINCT FROM new.{self.column}) {self._runs}"
        )
