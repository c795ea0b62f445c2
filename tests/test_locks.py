"""docs/locks.md lists every lock in the code.

It has each advisory lock with its number and files, and each file that locks rows.
"""

import re

from core.locks import AdvisoryLock
from tests.policy_references import APPS, ROOT, texts

PAGE = (ROOT / "docs/locks.md").read_text()
ADVISORY = re.compile(r"pg_(?:try_)?advisory_\w+")
ROW_LOCK = re.compile(r"select_for_update\(|objects\.locked\(\)|\bFOR (?:NO KEY UPDATE|UPDATE|SHARE)\b")


def code() -> dict[str, str]:
    """Return the text of each Python file of the apps, by its path."""
    return {
        name: text
        for name, text in texts().items()
        if name.endswith(".py") and name.startswith(tuple(f"{app}/" for app in APPS))
    }


def test_every_advisory_lock_is_on_the_page_and_no_other() -> None:
    found = re.findall(r"^\| `([A-Z_]+)`[^|]*\| ([0-9A-Fx_]+) \| `([\w/.]+)` \|", PAGE, re.MULTILINE)
    assert {name: int(number, 0) for name, number, _ in found} == {lock.name: lock.value for lock in AdvisoryLock}
    takers = {(lock, name) for name, text in code().items() for lock in re.findall(r"AdvisoryLock\.([A-Z_]+)", text)}
    assert {(lock, file) for lock, _, file in found} == takers


def test_nothing_but_core_locks_asks_for_an_advisory_lock() -> None:
    assert [name for name, text in code().items() if ADVISORY.search(text)] == ["core/locks.py"]


def test_every_file_that_locks_rows_is_on_the_page() -> None:
    found = {file for file, text in code().items() if ROW_LOCK.search(text)}
    assert "billing/runs/chunk.py" in found
    assert [file for file in sorted(found) if f"`{file}`" not in PAGE] == []
