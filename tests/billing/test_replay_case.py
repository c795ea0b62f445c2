"""`replay_case` in its own process: a case is replayed in a temporary database."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command, execute_from_command_line
from django.db import connection

from tests.conftest import CASES
from tests.forking import KILLED, in_a_fork
from tests.guarding import nothing_written
from tests.reliability.killing import run

ROOT = Path(__file__).parents[2]
FIRST = CASES / "01-onboarding-is-free-but-toll-free-minutes-are-charged.json"


@pytest.fixture(scope="session")
def migrated(django_db_setup: None, django_db_blocker: Any) -> Iterator[str]:
    """A copy of the tests' database as a template, since migrating takes ten seconds. One test still migrates."""
    with django_db_blocker.unblock():
        database = connection.settings_dict["NAME"]
        connection.close()  # a database can only be copied without connections to it
        with connection._nodb_cursor() as cursor:
            cursor.execute(f"DROP DATABASE IF EXISTS {database}_migrated")
            cursor.execute(f"CREATE DATABASE {database}_migrated TEMPLATE {database}")
        yield f"{database}_migrated"
        with connection._nodb_cursor() as cursor:
            cursor.execute(f"DROP DATABASE {database}_migrated")


def replay(*files: Path, template: str = "") -> subprocess.CompletedProcess[str]:
    """Run the command, which makes its own database next to the tests'."""
    database = connection.settings_dict["NAME"]
    command = [sys.executable, "-m", "tests.in_tests_database", database, "replay_case", *map(str, files)]
    environment = {**os.environ, "TEMPLATE": template}
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


def results(text: str) -> list[Any]:
    """Return the consecutive JSON objects in a text."""
    found, decoder, start = [], json.JSONDecoder(), 0
    while start < len(text.rstrip()):
        result, end = decoder.raw_decode(text, start)
        found.append(result)
        start = end + 1
    return found


def left_behind() -> set[str]:
    """Return the databases of replays that no process uses anymore."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT datname FROM pg_database d WHERE datname LIKE 'test_replay%' "
            "AND NOT EXISTS (SELECT FROM pg_stat_activity a WHERE a.datname = d.datname)"
        )
        return {name for (name,) in cursor.fetchall()}


def test_cases_in_one_call_come_out_and_leave_nothing(db: None) -> None:
    """Some cases; tests/billing/test_cases.py replays all."""
    files = sorted(CASES.glob("[0-9]*.json"))[:6]
    answer = replay(*files)
    assert answer.returncode == 0, answer.stderr
    told = results(answer.stdout)
    assert [result["name"] for result in told] == [path.stem for path in files]
    assert all(result["differences"] == [] for result in told)
    expected = json.loads(FIRST.read_text())["expected"]
    assert (told[0]["refused"], told[0]["invoices"]) == (expected["refused"], expected["invoices"])
    assert left_behind() == set()


def test_a_difference_is_told_and_is_status_1(migrated: str, db: None, tmp_path: Path) -> None:
    case = json.loads(FIRST.read_text())
    case["expected"]["invoices"]["2026-03"]["total"] = "2.85"
    wrong = tmp_path / "wrong.json"
    wrong.write_text(json.dumps(case))
    answer = replay(wrong, FIRST, template=migrated)
    assert answer.returncode == 1
    assert [result["differences"] for result in results(answer.stdout)] == [
        ["2026-03: expected a total of 2.85, got 2.84"],
        [],
    ]
    assert "1 of 2 cases came out differently" in answer.stderr


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "can't be read as JSON"),
        (b"\xff\x00", "can't be read as JSON"),
        (b"[]", "should be one JSON object"),
        (b"{}", "not of the expected form"),
        (b'{"timezone": "Mars/Olympus", "installed": {"at": "2026-01-01T00:00:00Z"}}', "not a time zone"),
        (b'{"timezone": "UTC", "installed": {"at": "2026-01-01T00:00:00"}}', "has no offset"),
    ],
    ids=["empty", "bytes", "list", "nothing", "zone", "naive"],
)
def test_a_file_that_is_no_case_is_told_in_words(
    migrated: str, db: None, tmp_path: Path, content: bytes, words: str
) -> None:
    path = tmp_path / "case.json"
    path.write_bytes(content)

    def run() -> None:
        connection.settings_dict["TEST"]["TEMPLATE"] = migrated
        execute_from_command_line(["manage.py", "replay_case", str(path)])

    status, output = in_a_fork(run)
    assert status == 1
    assert words in output
    assert "Traceback" not in output
    assert left_behind() == set()


@pytest.mark.kill
def test_killed_and_run_again_it_prints_the_same(migrated: str, transactional_db: None) -> None:
    """Its database is another one, so ours is as before. That of the killed one stays, and is in nobody's way."""

    def work() -> None:
        connection.settings_dict["TEST"]["TEMPLATE"] = migrated
        call_command("replay_case", str(FIRST))

    with nothing_written():
        status, printed, steps = run(work)
        assert status == 0, printed
        assert run(work, dies_before=len(steps) // 2)[0] == KILLED
        assert run(work)[:2] == (0, printed)
    for name in left_behind():
        with connection._nodb_cursor() as cursor:
            cursor.execute(f"DROP DATABASE {name}")
