"""The statements that make a database's roles what they should be, and none if they are."""

from collections import defaultdict
from collections.abc import Iterable, Iterator

from django.conf import settings
from django.db.backends.base.base import BaseDatabaseWrapper

from core.roles.found import Found, Right, look
from core.roles.names import PUBLIC, Names
from core.roles.needs import ADD, ALL, CHANGE, READ, Need, needs

# How long a session may be idle in a transaction, in which it may hold locks. A worker reads whole files in one.
LONGEST_IDLE = {"owner": "1h", "web": "1min", "worker": "10min", "report": "10min"}
# The commands of psql, pg_dump and migrations of the owner may take long, and so may a report.
LONGEST_STATEMENT = {"owner": "0", "report": "15min"}
LONGEST_NAME = 63


class Unusable(Exception):
    """A sentence that says why the roles can't be made what they should be."""


def plan(connection: BaseDatabaseWrapper, names: Names) -> list[str]:
    """Return the statements that are missing, in the order in which to run them. Raises Unusable if none would help."""
    with connection.cursor() as cursor:
        found = look(cursor, names)
    if same := {name for name in names.all() if names.all().count(name) > 1}:
        raise Unusable(f"Each role needs a name of its own, so {sorted(same)[0]} can not have two parts.")
    if long := [name for name in names.all() if len(name.encode()) > LONGEST_NAME]:
        raise Unusable(
            f"The name {long[0]} is too long: PostgreSQL takes {LONGEST_NAME} bytes. Use a shorter --prefix."
        )
    if found.me.name in names.others():
        raise Unusable(f"This connects as {found.me.name}, which is to own nothing. Connect as an administrator.")
    return [*_roles(found, names), *_settings(found, names), *_owners(found, names), *_rights(found, names)]


def locks_are_open(connection: BaseDatabaseWrapper, names: Names) -> bool:
    """Return whether a role that merely connects may take advisory locks, which only a superuser can change."""
    with connection.cursor() as cursor:
        return any(right.kind == "FUNCTION" and right.role == PUBLIC for right in look(cursor, names).rights)


def _roles(found: Found, names: Names) -> Iterator[str]:
    for name in names.all():
        role = found.roles.get(name)
        if role is None:
            databases = " CREATEDB" if name == names.owner and _may_create_databases(found) else ""
            yield f"CREATE ROLE {_quoted(name)} LOGIN{databases}"
            continue
        if not role.logs_in:
            yield f"ALTER ROLE {_quoted(name)} LOGIN"
        if role.powers and name != names.owner:
            yield f"ALTER ROLE {_quoted(name)} {' '.join(f'NO{power}' for power in role.powers)}"
    for member, group in sorted(found.memberships):
        if member in names.others() and (group in names.all() or group.startswith("pg_")):
            yield f"REVOKE {_quoted(group)} FROM {_quoted(member)}"


def _may_create_databases(found: Found) -> bool:
    return found.me.is_superuser or found.me.creates_databases


def _settings(found: Found, names: Names) -> Iterator[str]:
    for part, name in zip(("owner", "web", "worker", "report"), names.all(), strict=True):
        timeouts = settings.DATABASE_TIMEOUTS_MS
        wanted = {
            "default_transaction_isolation": "read committed",
            "statement_timeout": LONGEST_STATEMENT.get(part, f"{timeouts['statement_timeout']}ms"),
            "lock_timeout": f"{timeouts['lock_timeout']}ms",
            "idle_in_transaction_session_timeout": LONGEST_IDLE[part],
        }
        if part == "report":
            wanted["default_transaction_read_only"] = "on"
        role = found.roles.get(name)
        for setting, value in wanted.items():
            if role is None or f"{setting}={value}" not in role.settings:
                yield f"ALTER ROLE {_quoted(name)} SET {setting} = '{value}'"


def _owners(found: Found, names: Names) -> Iterator[str]:
    others = sorted(what for what, owner in found.owners.items() if owner != names.owner)
    # Only a member can give away what it owns, or say what the owner's tables will grant.
    if not found.me.is_superuser and found.me.name != names.owner and (others or names.owner not in found.roles):
        yield f"GRANT {_quoted(names.owner)} TO CURRENT_USER"
    for kind, name in others:
        yield f"ALTER {kind} {name} OWNER TO {_quoted(names.owner)}"


def _rights(found: Found, names: Names) -> Iterator[str]:
    wanted = set(_wanted(found, names))
    if not found.me.is_superuser:
        wanted = {right for right in wanted if right.kind != "FUNCTION"}
    owners = _owners_of_what_has_rights(found)
    # What a table's owner may do is handed on with the table.
    present = {
        right
        for right in found.rights
        if _is_ours(right, found, names)
        and (right.role == names.owner or owners.get((right.kind, right.name)) != right.role)
    }
    extra = {right for right in present | found.may_be_given_on if right not in wanted} | found.may_be_given_on
    extra = {right for right in extra if right.role in (*names.others(), PUBLIC) and _is_ours(right, found, names)}
    gone = {(right.name, right.privilege, right.role) for right in extra if not right.column}
    # Taking a right on a table takes it on the columns too.
    present = {each for each in present if not each.column or (each.name, each.privilege, each.role) not in gone}
    yield from _statements(extra, found.schema, names, "REVOKE", "FROM")
    yield from _statements(wanted - (present - extra), found.schema, names, "GRANT", "TO")


def _owners_of_what_has_rights(found: Found) -> dict[tuple[str, str], str]:
    """Return who owns each schema, table and sequence, by its kind and name; a sequence is owned with its table."""
    sequences = {
        ("SEQUENCE", table.sequence): found.owners["TABLE", table.name]
        for table in found.tables.values()
        if table.sequence
    }
    return {**found.owners, **sequences}


def _is_ours(right: Right, found: Found, names: Names) -> bool:
    """Return whether this right is for `make_roles` to decide about. Everybody may use a schema."""
    if right.kind == "FUNCTION" and not found.me.is_superuser:
        return False
    if right.role == PUBLIC:
        return (right.kind, right.privilege) != ("SCHEMA", "USAGE")
    return right.role in names.all()


def _wanted(found: Found, names: Names) -> Iterator[Right]:
    for role in names.all():
        yield Right("DATABASE", found.database, "", "CONNECT", role)
        yield Right("SCHEMA", found.schema, "", "USAGE", role)
    for role in (names.owner, names.web, names.worker):
        yield Right("DATABASE", found.database, "", "TEMPORARY", role)  # imports stage their rows in such tables
        for function in found.advisory_functions:
            yield Right("FUNCTION", function, "", "EXECUTE", role)
    for role in (names.web, names.worker):
        yield from (Right("TABLES", "", "", privilege, role) for privilege in ALL)
        yield Right("SEQUENCES", "", "", "USAGE", role)
    for name, need in needs().items():
        if name in found.tables:
            yield from _of_table(found, names, name, need)


def _of_table(found: Found, names: Names, name: str, need: Need) -> Iterator[Right]:
    table = found.tables[name]
    for role, privileges in ((names.web, need.web), (names.worker, need.worker)):
        yield from (Right("TABLE", table.name, "", privilege, role) for privilege in privileges)
        if need.row_locks and CHANGE not in privileges:
            yield Right("TABLE", table.name, need.key, CHANGE, role)
        if table.sequence and ADD in privileges:
            yield Right("SEQUENCE", table.sequence, "", "USAGE", role)
    if need.report:
        seen = [column for column in table.columns if column not in need.hidden] if need.hidden else [""]
        yield from (Right("TABLE", table.name, column, READ, names.report) for column in seen)


def _statements(rights: Iterable[Right], schema: str, names: Names, verb: str, toward: str) -> Iterator[str]:
    """Yield statements for the rights, as few as possible."""
    privileges: dict[tuple[str, str, str], dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for right in sorted(rights):
        privileges[right.role, right.kind, right.name][right.privilege].append(right.column)
    objects: dict[tuple[str, str, str], list[str]] = defaultdict(list)
    for (role, kind, name), columns in privileges.items():
        listed = ", ".join(_with_columns(privilege, cols) for privilege, cols in columns.items())
        objects[role, kind, listed].append(name)
    cascade = " CASCADE" if verb == "REVOKE" else ""
    for (role, kind, listed), on in objects.items():
        who = role if role == PUBLIC else _quoted(role)
        if kind in ("TABLES", "SEQUENCES"):
            yield (
                f"ALTER DEFAULT PRIVILEGES FOR ROLE {_quoted(names.owner)} IN SCHEMA {schema} "
                f"{verb} {listed} ON {kind} {toward} {who}{cascade}"
            )
        else:
            yield f"{verb} {listed} ON {kind} {', '.join(on)} {toward} {who}{cascade}"


def _with_columns(privilege: str, columns: list[str]) -> str:
    named = [column for column in columns if column]
    return f"{privilege} ({', '.join(named)})" if named and "" not in columns else privilege


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
