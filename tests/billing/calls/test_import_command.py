"""The commands `import_calls` and `match_calls`: what they print, what they write, and their exit status."""

import csv
import gzip
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from accounts.models import NumberAssignment, PhoneNumber, User
from billing.models import CallImport, CallRecord
from subscriptions.actions import unassign_number
from tests.billing.call_rows import HEADER, asterisk_row, file_of, imported, row, table


def command(*arguments: object, **options: Any) -> str:
    """Run `import_calls` and return its output."""
    out = StringIO()
    call_command("import_calls", *map(str, arguments), stdout=out, stderr=StringIO(), **options)
    return out.getvalue()


def refused(*arguments: object) -> CommandError:
    with pytest.raises(CommandError) as error:
        command(*arguments)
    assert "\n" not in str(error.value)
    return error.value


@pytest.fixture
def calls(tmp_path: Path) -> Path:
    path = tmp_path / "calls.csv"
    path.write_bytes(file_of([row("c1"), row("c2", at="2026-03-01T00:00:00Z"), row("c1")]))
    return path


def test_a_good_file_is_summed_up_in_one_line(answered: PhoneNumber, calls: Path, biller: User) -> None:
    said = command(calls, "--by", "Bea@example.com")
    assert said == (
        "calls.csv: 2 added, 1 of them unmatched, 1 there already, 0 not answered, 1 not a call, 0 rejected; "
        "4 rows read.\n"
    )
    assert CallImport.objects.get().by == biller


@pytest.mark.owner
def test_the_command_and_the_function_do_the_same(answered: PhoneNumber, calls: Path) -> None:
    command(calls)
    by_command = table()
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")  # the guards keep call records from being deleted
        CallRecord.objects.all().delete()
        cursor.execute("SET session_replication_role = origin")
    imported(calls.read_bytes())
    assert table() == by_command


def test_rejects_are_written_corrected_and_imported_again(answered: PhoneNumber, calls: Path, tmp_path: Path) -> None:
    calls.write_bytes(file_of([row("c1"), row("c2", seconds=-1), row("c3", to="+18005550199")]))
    rejects = tmp_path / "rejects.csv"
    error = refused(calls, "--rejects", rejects)
    assert (error.returncode, str(error)) == (1, f"2 rows were rejected. See {rejects}.")
    lines = rejects.read_text().splitlines()
    assert lines[0] == HEADER + ",line,reason"
    assert [line.split(",")[5] for line in lines[1:]] == ["3", "4"]
    assert lines[2].endswith(",4,No account has this number.")
    corrected = tmp_path / "corrected.csv"
    corrected.write_text(rejects.read_text().replace("'-1", "1").replace("0199", "0100"))
    assert command(corrected).startswith("corrected.csv: 2 added")
    assert CallRecord.objects.count() == 3


def test_several_files_gzipped_or_not_in_both_layouts(answered: PhoneNumber, calls: Path, tmp_path: Path) -> None:
    master = tmp_path / "Master.csv.gz"
    master.write_bytes(gzip.compress(asterisk_row("1773000000.1").encode()))
    said = command(calls, master, "--zone", "America/Chicago")
    assert [line.split(":")[0] for line in said.splitlines()] == ["calls.csv", "Master.csv.gz"]
    assert CallRecord.objects.get(call_id="1773000000.1").started_at == datetime(2026, 3, 20, 17, tzinfo=UTC)


def test_rejects_of_several_files_name_the_file(answered: PhoneNumber, calls: Path, tmp_path: Path) -> None:
    other, rejects = tmp_path / "other.csv", tmp_path / "rejects.csv"
    other.write_bytes(file_of([row("c8", seconds="x")]))
    calls.write_bytes(file_of([row("c9", seconds="x")]))
    assert refused(calls, other, "--rejects", rejects).returncode is not None
    assert not CallImport.objects.exists()
    assert refused(calls, other, "--rejects", rejects, "--layout", "own").returncode == 1
    lines = rejects.read_text().splitlines()
    assert (len(lines), lines[0]) == (3, HEADER + ",line,reason")
    assert ",calls.csv: " in lines[1]
    assert ",other.csv: " in lines[2]


@pytest.mark.parametrize(
    ("content", "arguments", "words"),
    [
        (None, [], "can't be read: No such file or directory."),
        (b"hello\n", [], "The first line neither names the columns"),
        (b"call_id,to\n", [], "it lacks from, started_at, seconds."),
        (asterisk_row("1.1").encode(), [], "say in which zone"),
        (asterisk_row("1.1").encode(), ["--zone", "Mars/Olympus"], "is not a time zone"),
        (asterisk_row("1.1").encode(), ["--layout", "own"], "The first line must name the columns"),
        pytest.param(gzip.compress(b"x" * 10_000)[:-20], [], "can't be read to its end", id="cut-short"),
    ],
)
def test_a_file_that_can_not_be_read_is_status_2(
    answered: PhoneNumber, calls: Path, content: bytes | None, arguments: list[str], words: str
) -> None:
    calls.unlink()
    if content is not None:
        calls.write_bytes(content)
    error = refused(calls, *arguments)
    assert error.returncode == 2
    assert words in str(error)
    assert not CallImport.objects.exists()


def test_one_file_that_can_not_be_read_does_not_stop_the_others(answered: PhoneNumber, calls: Path) -> None:
    assert refused(calls.with_name("none.csv"), calls).returncode == 2
    assert CallRecord.objects.count() == 2


def test_the_rejects_never_overwrite_what_is_imported(answered: PhoneNumber, calls: Path) -> None:
    before = calls.read_bytes()
    refused(calls, "--rejects", calls)
    refused(calls, "--rejects", calls.parent)
    assert calls.read_bytes() == before
    assert not CallImport.objects.exists()


@pytest.mark.parametrize("email", ["nobody@example.com", "sam@example.com"])
def test_who_may_not_import_is_refused(answered: PhoneNumber, calls: Path, supporter: User, email: str) -> None:
    refused(calls, "--by", email)
    assert not CallImport.objects.exists()


def test_calls_kept_aside_are_matched(answered: PhoneNumber, owner: User) -> None:
    first = answered.assignments.get()
    unassign_number(first.account, answered, by=owner, now=datetime(2026, 3, 10, tzinfo=UTC))
    imported([row("c1"), row("c2", at="2026-03-11T00:00:00Z"), row("c3", at="2026-03-01T00:00:00Z")])
    period = (datetime(2026, 3, 10, tzinfo=UTC), None)
    NumberAssignment.objects.create(account=first.account, number=answered, period=period, assigned_by=owner)
    said = StringIO()
    call_command("match_calls", stdout=said, stderr=StringIO())
    call_command("match_calls", stdout=said, stderr=StringIO())
    assert said.getvalue() == "2 matched, 1 still unmatched.\n0 matched, 1 still unmatched.\n"


def test_rejects_of_files_with_other_columns_stand_under_one_line_of_names(
    answered: PhoneNumber, calls: Path, tmp_path: Path
) -> None:
    legs, rejects = tmp_path / "legs.csv", tmp_path / "rejects.csv"
    legs.write_text(f"{HEADER},leg\n{row('c8', seconds='x')},7\n")
    calls.write_bytes(file_of([row("c9", seconds="x")]))
    refused(calls, legs, "--rejects", rejects, "--layout", "own")
    rows = list(csv.DictReader(rejects.open(newline="")))
    assert [(one["call_id"], one["leg"], one["line"]) for one in rows] == [("c9", "", "2"), ("c8", "7", "2")]


def test_nothing_added_is_never_a_success(answered: PhoneNumber, calls: Path, tmp_path: Path) -> None:
    empty = tmp_path / "empty.csv"
    empty.write_text(HEADER + "\n")
    unanswered = tmp_path / "Master.csv"
    unanswered.write_text(asterisk_row("1773000000.1", disposition="NO ANSWER"))
    assert str(refused(empty)) == "Nothing was added: the file has no rows of calls."
    error = refused(unanswered, "--zone", "America/Chicago")
    assert (error.returncode, str(error)) == (1, "Nothing was added: 1 not answered.")
    error = refused(calls, empty)
    assert (error.returncode, str(error)) == (1, "Nothing was added from empty.csv.")
    assert command(calls).endswith("calls.csv: nothing is new, all of its calls are there already.\n")
