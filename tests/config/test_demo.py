"""The demo, run as a person runs it, on databases created for the test."""

from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote, urlencode, urlsplit
from uuid import uuid4

import psycopg
import pytest
from django.db import connection

from onboarding.rules import SEAT_LIMIT, why_package_is_locked
from tests.config.commands import PRODUCTION, manage
from tests.reliability.databases import kill_before_all_is_dropped, kill_migrations, of_demo
from tests.reliability.killing import differences


@pytest.fixture
def new_database(db: None) -> Iterator[Callable[[], str]]:
    """Creates empty databases on the tests' server and returns their URLs; they are dropped after the test."""
    made: list[str] = []

    def make() -> str:
        name = f"demo_{uuid4().hex[:12]}"
        with connection._nodb_cursor() as cursor:
            cursor.execute(f"CREATE DATABASE {name}")
        made.append(name)
        parameters = connection.get_connection_params()
        user = quote(parameters["user"]) + (f":{quote(parameters['password'])}" if "password" in parameters else "")
        where = {key: parameters[key] for key in ("host", "port") if parameters.get(key)}
        return f"postgres://{user}@/{name}?{urlencode(where)}"

    yield make
    for name in made:
        with connection._nodb_cursor() as cursor:
            cursor.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.mark.kill
def test_the_demo_tells_its_story_and_starts_clean_again(new_database: Callable[[], str], tmp_path: Path) -> None:
    """Also after it was killed: before its transaction ended, it is as it was; later, it is made again."""
    address = new_database()
    database, path = urlsplit(address).path.removeprefix("/"), tmp_path / "answer.json"
    told = manage("demo", DEBUG="true", DATABASE_URL=address)
    assert (told.returncode, told.stderr) == (0, "")
    words = " ".join(told.stdout.split())
    for expected in (
        "installs Contact Center Pro",
        f"it can hold at most {SEAT_LIMIT} concurrent-user seats; you asked for {SEAT_LIMIT + 1}",
        why_package_is_locked(),
        "Only the Onboarding team can activate an account.",
        "of the Onboarding team, activates the account",
        "Contact Center Pro: 25 seats",
        "UPDATE on onboarding_onboarding is refused",
        "can't be undone or changed",
        "make serve",
        "tom@example.com",
    ):
        assert expected in words

    made = of_demo(database, path)
    kill_before_all_is_dropped(database)
    assert differences(of_demo(database, path), made) == []
    kill_migrations(database, path)

    serving = psycopg.connect(address)  # like `make serve` in the middle of a request
    serving.execute("SELECT FROM accounts_account")
    again = manage("demo", DEBUG="true", DATABASE_URL=address)
    serving.close()
    assert (again.returncode, again.stderr) == (0, "")
    assert differences(of_demo(database, path), made) == []
    with psycopg.connect(address) as found:
        modes = found.execute(
            "SELECT number, o.id IS NOT NULL, activated_at IS NOT NULL, seats FROM accounts_account a "
            "LEFT JOIN onboarding_onboarding o ON o.account_id = a.id "
            "LEFT JOIN subscriptions_contactcenter c ON c.account_id = a.id ORDER BY number"
        ).fetchall()
    assert modes == [
        ("100001", True, True, 25),
        ("100002", True, False, 2),
        ("100003", False, False, None),
        ("100004", True, False, 1),
        ("100005", True, False, 2),
        ("100006", True, True, 25),
    ]


def test_a_database_of_somebody_else_stays_as_it_is(new_database: Callable[[], str]) -> None:
    address = new_database()
    with psycopg.connect(address) as somebody:
        somebody.execute("CREATE TABLE precious AS SELECT 1 AS row")
    refused = manage("demo", DEBUG="true", DATABASE_URL=address)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "was not made by the demo and is not empty" in refused.stderr
    assert len(refused.stderr.splitlines()) == 1
    with psycopg.connect(address) as somebody:
        assert somebody.execute("SELECT row FROM precious").fetchall() == [(1,)]
        marks = somebody.execute(
            "SELECT count(*) FROM pg_shdescription d JOIN pg_database ON d.objoid = pg_database.oid "
            "WHERE datname = current_database()"
        )
        assert marks.fetchone() == (0,)


def test_a_user_who_does_not_own_the_database_is_told(new_database: Callable[[], str]) -> None:
    address = new_database()
    name = f"guest_{uuid4().hex[:12]}"
    with connection._nodb_cursor() as cursor:
        cursor.execute(f"CREATE ROLE {name} LOGIN PASSWORD 'guest'")
    try:
        guest = f"postgres://{name}:guest@{address.split('@')[1]}"
        refused = manage("demo", DEBUG="true", DATABASE_URL=guest)
    finally:
        with connection._nodb_cursor() as cursor:
            cursor.execute(f"DROP ROLE {name}")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "needs a database that its user owns" in refused.stderr
    assert len(refused.stderr.splitlines()) == 1


def test_no_demo_in_production(new_database: Callable[[], str]) -> None:
    address = new_database()
    refused = manage("demo", **PRODUCTION, DATABASE_URL=address)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "runs only where DEBUG=true" in refused.stderr
    with psycopg.connect(address) as found:
        assert found.execute("SELECT to_regclass('django_migrations')").fetchone() == (None,)
