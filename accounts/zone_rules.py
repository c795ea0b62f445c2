"""The table of time zone rules by which SQL decides local days, and the system check that it matches the package.

The table has no model: it is only a copy of the rules of the pinned package `tzdata`, refreshed after each migrate.
The SQL function `local_day` and the guards on stored days read it, and never the server's own rules (`AT TIME ZONE`).
"""

from collections.abc import Collection, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from django.core.checks import CheckMessage, Error, Warning
from django.db import DatabaseError, connection, connections

from accounts.zones import LAST, RULES, known_zone, offsets_of, places

LOOKED_BACK: Final = timedelta(days=366)
LOOKED_AHEAD: Final = timedelta(days=5 * 366)
MOST_NAMED: Final = 20


def offered_zones() -> list[str]:
    """Return the zones that an account can have: places that both Python and the database server know. One query."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT name FROM accounts_timezone WHERE is_offered ORDER BY name")
        return [name for (name,) in cursor.fetchall()]


def is_offered(name: str) -> bool:
    """Return whether an account can have the zone. One query."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT FROM accounts_timezone WHERE name = %s AND is_offered)", [name])
        return bool(cursor.fetchone()[0])


def load_zone_rules(using: str, **kwargs: Any) -> None:
    """Copy the pinned rules into the table: those of every place, and of all other zones that accounts use."""
    with connections[using].cursor() as cursor:
        cursor.execute("SELECT to_regclass('accounts_timezone')")
        if cursor.fetchone()[0] is None:
            return  # migrated back to before the table was created
        cursor.execute("SELECT name FROM accounts_timezone WHERE rules = %s", [_rules()])
        current = {name for (name,) in cursor.fetchall()}
        cursor.execute("SELECT DISTINCT timezone FROM accounts_account")
        in_use = {name for (name,) in cursor.fetchall()}
        wanted = {*places(), *in_use} - current
        if not wanted:
            return
        cursor.execute("SELECT name FROM pg_timezone_names")
        of_server = {name for (name,) in cursor.fetchall()}
        rows = [row for name in sorted(wanted) if (row := _row(name, of_server)) is not None]
        cursor.executemany(
            "INSERT INTO accounts_timezone (name, is_offered, since, shifts, rules) VALUES (%s, %s, %s, %s, %s) "
            "ON CONFLICT (name) DO UPDATE SET is_offered = excluded.is_offered, since = excluded.since, "
            "shifts = excluded.shifts, rules = excluded.rules",
            rows,
        )


def _rules() -> str:
    return f"{RULES} to {LAST:%Y}"


def _row(name: str, of_server: Collection[str]) -> Any:
    """Return the table's row for a zone, or None if the pinned rules don't have the zone."""
    zone = known_zone(name)
    if zone is None:
        return None
    since, shifts = zip(*offsets_of(zone), strict=True)
    return name, name in places() and name in of_server, list(since), list(shifts), _rules()


def check_zones(app_configs: Any = None, databases: Sequence[str] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """Return an error for each zone in use whose stored rules were tampered with, and warnings about other problems.

    The warnings are about zones that are not known to the package or to the server, rules of another version, and
    rules of the server that disagree with ours.
    """
    return [message for alias in databases or [] for message in _of_database(alias)]


def _of_database(alias: str) -> Iterator[CheckMessage]:
    try:
        with connections[alias].cursor() as cursor:
            cursor.execute("SELECT to_regclass('accounts_timezone')")
            if cursor.fetchone()[0] is None:
                return  # the guards' check says that migrations are missing
            cursor.execute(
                "SELECT a.timezone, z.since, z.shifts, z.rules, n.name IS NOT NULL "
                "FROM (SELECT DISTINCT timezone FROM accounts_account) a "
                "LEFT JOIN accounts_timezone z ON z.name = a.timezone "
                "LEFT JOIN pg_timezone_names n ON n.name = a.timezone ORDER BY 1"
            )
            rows = cursor.fetchall()
            for name, since, shifts, rules, is_known_to_server in rows:
                yield from _of_zone(cursor, name, since, shifts, rules, is_known_to_server)
    except DatabaseError as error:
        yield Error(f"The time zones in use can't be read: {error}", id="zones.E002")


def _of_zone(
    cursor: Any, name: str, since: Any, shifts: Any, rules: str | None, is_known_to_server: bool
) -> Iterator[CheckMessage]:
    zone = known_zone(name)
    if zone is None:
        cursor.execute("SELECT number FROM accounts_account WHERE timezone = %s ORDER BY number LIMIT 20", [name])
        numbers = ", ".join(number for (number,) in cursor.fetchall())
        yield Warning(
            f"The time zone “{name}” of account {numbers} is not known, so these accounts can't buy, go live or be "
            "billed.",
            hint="An administrator can correct an account's time zone on its page, as long as no invoice was issued.",
            id="zones.W001",
        )
        return
    if rules != _rules():  # only a warning: `migrate` runs this check first, and an error would keep it from copying
        yield Warning(
            f"The stored rules of the time zone {name} are not those of this version ({_rules()}).",
            hint="Run `manage.py migrate`, which copies them.",
            id="zones.W004",
        )
    elif list(zip(since, shifts, strict=True)) != offsets_of(zone):
        yield Error(
            f"The stored rules of the time zone {name} were changed: they are not those of {_rules()}.",
            hint="Find out who changed them, delete its row of accounts_timezone, and run `migrate --skip-checks`.",
            id="zones.E001",
        )
    if not is_known_to_server:
        yield Warning(f"The database server does not know the time zone {name}, which is in use.", id="zones.W002")
    elif (moment := _first_disagreement(cursor, name)) is not None:
        yield Warning(
            f"The database server has other rules for the time zone {name} than this product, from {moment:%Y-%m-%d} "
            "on. Days are decided by this product's rules; SQL of your own that uses AT TIME ZONE sees other days.",
            hint="Update the time zone data of the database server, or this product.",
            id="zones.W003",
        )


def _first_disagreement(cursor: Any, name: str) -> datetime | None:
    """Return the first instant, from a year ago to five years ahead, at which the server's offset differs from ours.

    It compares each change of the clock, the second before it, and one instant a week. None if all agree.
    """
    zone = known_zone(name)
    assert zone is not None
    cursor.execute("SELECT clock_timestamp()")
    now = cursor.fetchone()[0].astimezone(UTC).replace(second=0, microsecond=0)
    ours = offsets_of(zone, now - LOOKED_BACK, now + LOOKED_AHEAD)
    looked_at = sorted({moment for change, _ in ours for moment in (change, change - timedelta(seconds=1))})
    looked_at += [now - LOOKED_BACK + timedelta(days=n) for n in range(0, (LOOKED_BACK + LOOKED_AHEAD).days, 7)]
    cursor.execute(
        "SELECT extract(epoch FROM (moment AT TIME ZONE %s) - (moment AT TIME ZONE 'UTC'))::int "
        "FROM unnest(%s::timestamptz[]) WITH ORDINALITY u (moment, place) ORDER BY place",
        [name, looked_at],
    )
    theirs = [shift for (shift,) in cursor.fetchall()]
    wrong = [
        moment
        for moment, shift in zip(looked_at, theirs, strict=True)
        if timedelta(seconds=shift) != moment.astimezone(zone).utcoffset()
    ]
    return min(wrong, default=None)
