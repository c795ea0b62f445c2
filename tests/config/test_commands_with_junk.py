"""Whatever is passed to a command, it answers with a sentence, never with a traceback."""

import json
from contextlib import redirect_stderr, suppress
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from accounts.models import Account, User

JUNK = "\udcff\udcfe"  # how Python reads bytes of an argument that are no UTF-8
DEEP = "[" * 200_000
MONTHS = ["9999-12", "0001-01", "9999-13", "0000-00", "2026-1", JUNK, "", "٢٠٢٦-١٠"]
TEXTS = [JUNK, "", "x" * 100_000, "9" * 5_000, "-1", "٣", "2**63", str(2**63), str(2**31)]
FILES = {
    "deep.json": DEEP.encode(),
    "deep object.json": b'{"a":' * 100_000,
    "bytes.json": b"\xff\xfe\x00\xd8",
    "nothing.json": b"",
    "a list.json": b"[]",
    "numbers.json": b'{"effective_from": "9999-12-31", "products": [{"sku": "\\ud800", "name": 1e999}]}',
    "nul.json": json.dumps({"effective_from": "2026-01-01", "products": [{"sku": "a\0", "name": "b\0"}]}).encode(),
    "far.json": json.dumps({"effective_from": "9999-12-31", "products": [], "packages": [], "storage": []}).encode(),
    "long.json": b'{"effective_from": ' + b"9" * 10_000 + b"}",
    "bytes.csv": b"\xff\xfe\x00\xd8\n" * 5,
    "far.csv": b"id,started_at,number,seconds\n1,9999-12-31T23:59:59+00:00,+18005550100,60\n",
}


def answers(command: str, *arguments: object) -> None:
    """Run the command; only a CommandError, or the end that argparse chooses, may end it early."""
    with redirect_stderr(StringIO()), suppress(CommandError, SystemExit):
        call_command(command, *map(str, arguments), stdout=StringIO(), stderr=StringIO())


@pytest.fixture(autouse=True)
def somebody(installed: Account, root: User) -> None:
    """An account with Contact Center, and an administrator, root@example.com."""


@pytest.mark.parametrize("month", MONTHS, ids=ascii)
@pytest.mark.parametrize("command", ["bill_run", "check_billing", "reconcile_calls"])
def test_months(command: str, month: str) -> None:
    answers(command, f"--month={month}")


@pytest.mark.parametrize("text", TEXTS, ids=lambda text: ascii(text)[:20])
def test_texts(text: str) -> None:
    for given in (
        ("bill_run", "--account", text),
        ("bill_run", f"--workers={text}"),
        ("match_calls", text),
        ("activate_accounts", text, "--by", "root@example.com", "--reason", "Because", "--dry-run"),
        ("activate_accounts", "100001", "--by", text, "--reason", "Because", "--dry-run"),
        ("activate_accounts", "--older-than", text, "--by", "root@example.com", "--reason", "Because", "--dry-run"),
        ("void_calls", f"--import={text}", "--by", "root@example.com", "--reason", "Because"),
        ("void_calls", "--call", text, "--by", text, "--reason", text),
        ("skip_numbers", "invoices", text, "--by", text, "--why", text),
        ("skip_numbers", "invoices", "7", "--by", "root@example.com", "--why", text),
        ("guards", "--sql", text),
        ("run_schedule", "--dry-run", text),
        ("make_roles", f"--prefix={text}", "--dry-run"),
        ("make_roles", f"--owner={text}", "--dry-run"),
    ):
        answers(*given)


@pytest.mark.parametrize("name", FILES)
def test_files(name: str, tmp_path: Path) -> None:
    file = tmp_path / name
    file.write_bytes(FILES[name])
    answers("load_catalogue", file)
    answers("import_calls", file)
    answers("activate_accounts", "--file", file, "--by", "root@example.com", "--reason", "Because", "--dry-run")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("name", ["deep.json", "deep object.json", "bytes.json", "nothing.json", "long.json"])
def test_cases(name: str, tmp_path: Path) -> None:
    file = tmp_path / name
    file.write_bytes(FILES[name])
    answers("replay_case", file)


@pytest.mark.parametrize("path", ["/", "/dev/null/x", "\udcff", "x" * 5_000, ""], ids=lambda text: ascii(text)[:20])
def test_paths(path: str) -> None:
    answers("load_catalogue", path)
    answers("replay_case", path)
    answers("import_calls", path)
    answers("activate_accounts", "--file", path, "--by", "root@example.com", "--reason", "Because")
