"""What is in a database: its roles, who owns what is ours, and who has which right on it."""

from dataclasses import dataclass

from django.db.backends.utils import CursorWrapper

from core.guards import all_functions, all_guards
from core.roles.names import PUBLIC, Names
from core.roles.needs import needs


@dataclass(frozen=True, order=True)
class Right:
    """A right of a role on an object, whose `kind` and `name` are written as in GRANT, or on one column of it."""

    kind: str
    name: str
    column: str
    privilege: str
    role: str


@dataclass(frozen=True)
class Role:
    """A role that exists: whether it may log in, what it may do beyond that, and its settings."""

    logs_in: bool
    powers: tuple[str, ...]
    settings: frozenset[str]


@dataclass(frozen=True)
class Me:
    """The role that asks: its name, whether it is a superuser, and whether it may create databases."""

    name: str
    is_superuser: bool
    creates_databases: bool


# Names are as GRANT and ALTER want them, quoted where that is needed.
HOME = """
SELECT n.oid, quote_ident(n.nspname), quote_ident(current_database())
FROM pg_namespace n WHERE n.oid = coalesce(
    (SELECT relnamespace FROM pg_class WHERE oid = to_regclass('django_migrations')), current_schema()::regnamespace)
"""
ROLES = """
SELECT r.rolname, r.rolcanlogin, array_remove(ARRAY[
        CASE WHEN r.rolsuper THEN 'SUPERUSER' END, CASE WHEN r.rolcreaterole THEN 'CREATEROLE' END,
        CASE WHEN r.rolcreatedb THEN 'CREATEDB' END, CASE WHEN r.rolreplication THEN 'REPLICATION' END,
        CASE WHEN r.rolbypassrls THEN 'BYPASSRLS' END], NULL),
    coalesce((SELECT s.setconfig FROM pg_db_role_setting s WHERE s.setrole = r.oid AND s.setdatabase = 0), '{}')
FROM pg_roles r WHERE r.rolname = ANY(%s)
"""
MEMBERS = """
SELECT m.rolname, r.rolname FROM pg_auth_members a
    JOIN pg_roles m ON m.oid = a.member JOIN pg_roles r ON r.oid = a.roleid
WHERE m.rolname = ANY(%s)
"""
# Sequences of columns and indexes follow their table.
OWNED = """
SELECT 'SCHEMA', quote_ident(nspname), pg_get_userbyid(nspowner) FROM pg_namespace WHERE oid = %(home)s
UNION ALL
SELECT 'TABLE', c.oid::regclass::text, pg_get_userbyid(c.relowner) FROM pg_class c
    WHERE c.relnamespace = %(home)s AND c.relkind IN ('r', 'p', 'v') AND c.relname = ANY(%(tables)s)
UNION ALL
SELECT 'FUNCTION', p.oid::regprocedure::text, pg_get_userbyid(p.proowner) FROM pg_proc p
    WHERE p.pronamespace = %(home)s AND (p.proname = ANY(%(functions)s) OR p.proname LIKE 'procrastinate\\_%%')
UNION ALL
SELECT 'TYPE', t.oid::regtype::text, pg_get_userbyid(t.typowner) FROM pg_type t
    LEFT JOIN pg_class c ON c.oid = t.typrelid
    WHERE t.typnamespace = %(home)s AND t.typname LIKE 'procrastinate\\_%%'
        AND (t.typtype = 'e' OR t.typtype = 'c' AND c.relkind = 'c')
"""
RIGHTS = """
WITH ours AS (
    SELECT c.oid, c.relname, c.relowner, c.relacl FROM pg_class c
    WHERE c.relnamespace = %(home)s AND c.relkind IN ('r', 'p', 'v') AND c.relname = ANY(%(tables)s)
), found (kind, name, col, acl) AS (
    SELECT 'DATABASE', quote_ident(datname), '', coalesce(datacl, acldefault('d', datdba))
    FROM pg_database WHERE datname = current_database()
UNION ALL
    SELECT 'SCHEMA', quote_ident(nspname), '', coalesce(nspacl, acldefault('n', nspowner))
    FROM pg_namespace WHERE oid = %(home)s
UNION ALL
    SELECT 'TABLE', oid::regclass::text, '', coalesce(relacl, acldefault('r', relowner)) FROM ours
UNION ALL
    SELECT 'TABLE', ours.oid::regclass::text, quote_ident(a.attname), a.attacl
    FROM ours JOIN pg_attribute a ON a.attrelid = ours.oid WHERE a.attacl IS NOT NULL AND NOT a.attisdropped
UNION ALL
    SELECT 'SEQUENCE', s.oid::regclass::text, '', coalesce(s.relacl, acldefault('s', s.relowner))
    FROM ours JOIN pg_depend d ON d.refobjid = ours.oid AND d.deptype IN ('a', 'i') AND d.classid = 'pg_class'::regclass
        AND d.refclassid = 'pg_class'::regclass JOIN pg_class s ON s.oid = d.objid AND s.relkind = 'S'
UNION ALL
    SELECT 'FUNCTION', oid::regprocedure::text, '', coalesce(proacl, acldefault('f', proowner)) FROM pg_proc
    WHERE pronamespace = 'pg_catalog'::regnamespace AND proname ~ '^pg_(try_)?advisory_(xact_)?lock'
UNION ALL
    SELECT CASE defaclobjtype WHEN 'r' THEN 'TABLES' ELSE 'SEQUENCES' END, '', '', defaclacl FROM pg_default_acl
    WHERE defaclnamespace = %(home)s AND defaclobjtype IN ('r', 'S')
        AND defaclrole = (SELECT oid FROM pg_roles WHERE rolname = %(owner)s)
)
SELECT kind, name, col, privilege_type,
    CASE grantee WHEN 0 THEN 'PUBLIC' ELSE pg_get_userbyid(grantee) END, is_grantable
FROM found, aclexplode(acl)
"""
COLUMNS = """
SELECT c.relname, c.oid::regclass::text, array_agg(quote_ident(a.attname) ORDER BY a.attnum),
    (SELECT s.oid::regclass::text FROM pg_depend d JOIN pg_class s ON s.oid = d.objid AND s.relkind = 'S'
        WHERE d.refobjid = c.oid AND d.deptype IN ('a', 'i') AND d.classid = 'pg_class'::regclass
            AND d.refclassid = 'pg_class'::regclass)
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE c.relnamespace = %(home)s AND c.relkind IN ('r', 'p', 'v') AND c.relname = ANY(%(tables)s)
GROUP BY c.oid, c.relname
"""


@dataclass(frozen=True)
class Table:
    """A table of ours that exists: its name as in GRANT, its columns, and the sequence of its key, if it has one."""

    name: str
    columns: list[str]
    sequence: str | None


@dataclass(frozen=True)
class Found:
    """Everything that `make_roles` compares."""

    me: Me
    schema: str
    database: str
    roles: dict[str, Role]
    memberships: set[tuple[str, str]]
    owners: dict[tuple[str, str], str]
    tables: dict[str, Table]
    rights: set[Right]
    may_be_given_on: set[Right]
    advisory_functions: set[str]


def look(cursor: CursorWrapper, names: Names) -> Found:
    """Return what is in the database. Raises DatabaseError if the connection has no schema to look in."""
    cursor.execute("SELECT rolname, rolsuper, rolcreatedb FROM pg_roles WHERE rolname = current_user")
    me = Me(*cursor.fetchone())
    cursor.execute(HOME)
    home, schema, database = cursor.fetchone()
    functions = {guard.function.name for guard in all_guards()} | {function.name for function in all_functions()}
    values = {"home": home, "tables": sorted(needs()), "functions": sorted(functions), "owner": names.owner}
    cursor.execute(ROLES, [[*names.all()]])
    roles = {name: Role(logs_in, tuple(powers), frozenset(set)) for name, logs_in, powers, set in cursor.fetchall()}
    cursor.execute(MEMBERS, [[*names.all(), me.name]])
    memberships = set(cursor.fetchall())
    cursor.execute(OWNED, values)
    owners = {(kind, name): owner for kind, name, owner in cursor.fetchall()}
    cursor.execute(COLUMNS, values)
    tables = {relname: Table(name, columns, sequence) for relname, name, columns, sequence in cursor.fetchall()}
    cursor.execute(RIGHTS, values)
    rows = cursor.fetchall()
    rights = {Right(*row[:5]) for row in rows if not row[5] or row[4] == PUBLIC}
    given_on = {Right(*row[:5]) for row in rows if row[5]}
    advisory = {name for kind, name, *_ in rows if kind == "FUNCTION"}
    return Found(me, schema, database, roles, memberships, owners, tables, rights, given_on, advisory)
