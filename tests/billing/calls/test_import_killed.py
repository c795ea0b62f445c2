"""An import that is killed and run again, and the memory used for a big file; each in its own process."""

import gzip
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.management import execute_from_command_line
from django.db import connection

from accounts.models import PhoneNumber
from billing.calls import batches, locking, staging
from billing.models import CallImport, CallRecord, SetAsideCall
from tests.billing.call_rows import HEADER, row, table
from tests.forking import KILLED, dies_at, in_a_fork

pytestmark = pytest.mark.django_db(transaction=True)
ROOT = Path(__file__).parents[3]


def run(*arguments: object, feed: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    """Run the command in a new Python process; the last line of output is its peak memory in kilobytes."""
    database = connection.settings_dict["NAME"]
    command = [sys.executable, "-m", "tests.billing.calls.measured_import", database, *arguments]
    return subprocess.run(list(map(str, command)), cwd=ROOT, input=feed, capture_output=True, check=False)


def write(path: Path, count: int, *, compress: bool = False) -> Path:
    """Write a file with this many calls, in which every tenth row repeats the one before."""

    def lines() -> Iterator[str]:
        yield HEADER
        for number in range(count):
            yield row(f"c{number - (number % 10 == 9)}", caller=str(number - (number % 10 == 9)))

    with gzip.open(path, "wt") if compress else path.open("w") as file:
        file.writelines(line + "\n" for line in lines())
    return path


def run_and_kill(path: Path, point: str = "-", times: int = 0) -> tuple[int, str]:
    """Import in batches of 1,000 rows in a fork that is killed on call number `times` + 1 of the checkpoint."""

    def until_killed() -> None:
        locking.checkpoint = dies_at(point, times)
        batches.ROWS = staging.ROWS = 1_000
        execute_from_command_line(["manage.py", "import_calls", str(path)])

    return in_a_fork(until_killed)


@pytest.mark.parametrize(
    ("point", "times", "kept"),
    [
        ("after lock", 0, 0),
        ("before commit", 0, 0),
        ("after lock", 2, 2),
        ("before commit", 2, 2),
        ("after commit", 1, 2),
    ],
)
def test_killed_and_run_again_the_calls_are_the_same(
    answered: PhoneNumber, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, point: str, times: int, kept: int
) -> None:
    """It is killed between batches, or in one, before or after its calls were written. What was committed stays."""
    path = write(tmp_path / "calls.csv", 12_000)
    status, told = run_and_kill(path, point, times)
    assert status == KILLED, told
    left = CallRecord.objects.count()
    received = CallImport.objects.get()
    assert received.finished_at is None
    assert received.added == left
    assert bool(left) == bool(kept)
    status, told = run_and_kill(path)
    assert status == 0, told
    assert CallRecord.objects.count() == 10_800
    latest = CallImport.objects.latest("pk")
    assert (latest.added, latest.repeated) == (10_800 - left, 1_200 + left)
    assert {call[0] for call in table()} == {f"c{number}" for number in range(12_000) if number % 10 != 9}
    assert CallRecord.objects.charged().count() == 10_800


def test_killed_and_run_again_conflicts_are_those_of_one_undisturbed_import(
    answered: PhoneNumber, tmp_path: Path
) -> None:
    """Every third id comes again later in the file with another length. The killed run wrote a part with the first."""
    path = tmp_path / "calls.csv"
    rows = [row(f"c{number}") for number in range(3_000)]
    rows += [row(f"c{number}", seconds=99) for number in range(0, 3_000, 3)]
    path.write_text("\n".join([HEADER, *rows]) + "\n")
    status, told = run_and_kill(path, "after commit")
    assert status == KILLED, told
    assert 0 < CallRecord.objects.count() < 2_000
    status, told = run_and_kill(path)
    assert (status, "records were set aside" in told) == (1, True), told
    assert set(CallRecord.objects.values_list("call_id", "seconds")) == {
        (f"c{number}", 61) for number in range(3_000) if number % 3
    }
    assert SetAsideCall.objects.open().count() == SetAsideCall.objects.count() == 2_000


def test_standard_input_and_the_exit_status(answered: PhoneNumber, tmp_path: Path) -> None:
    good = run("-", feed=f"{HEADER}\n{row('c1')}\n".encode())
    assert (good.returncode, good.stderr) == (0, b"")
    assert good.stdout.startswith(b"standard input: 1 added, 0 of them unmatched, 0 there already")
    bad = run("-", feed=gzip.compress(f"{HEADER}\n{row('c2', seconds=-1)}\n".encode()))
    assert bad.returncode == 1
    assert bad.stderr.count(b"\n") == 1
    assert run(tmp_path / "none.csv").returncode == 2


def test_memory_does_not_grow_with_the_file(answered: PhoneNumber, tmp_path: Path) -> None:
    small = run(write(tmp_path / "small.csv.gz", 50_000, compress=True))
    big = run(write(tmp_path / "big.csv.gz", 150_000, compress=True))
    assert (small.returncode, big.returncode) == (0, 0), big.stderr
    few, many = (int(process.stdout.split()[-1]) for process in (small, big))
    assert many < few * 1.15
    assert many < 150 * 1024
