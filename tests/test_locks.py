"""docs/locks.md names every lock in the code: each advisory key with its number and file, and who locks rows."""

import ast
import re
from collections.abc import Iterator

from tests.policy_references import APPS, ROOT, texts

PAGE = (ROOT / "docs/locks.md").read_text()
ADVISORY = re.compile(r"pg_(?:try_)?advisory_(?:xact_)?lock")
ROW_LOCK = re.compile(r"select_for_update\(|objects\.locked\(\)|\bFOR (?:NO KEY UPDATE|UPDATE|SHARE)\b")


def code() -> dict[str, str]:
    """Return the text of each Python file of the apps, by its path."""
    return {
        name: text
        for name, text in texts().items()
        if name.endswith(".py") and name.startswith(tuple(f"{app}/" for app in APPS))
    }


def keys_of(text: str) -> Iterator[tuple[str, int]]:
    """Yield the numbers with a name, in a file of advisory locks, that are parameters of a statement."""
    tree = ast.parse(text)
    numbers: dict[str, int] = {}
    for node in tree.body:
        target = node.targets[0] if isinstance(node, ast.Assign) else getattr(node, "target", None)
        value = getattr(node, "value", None)
        if isinstance(target, ast.Name) and isinstance(value, ast.Constant) and isinstance(value.value, int):
            numbers[target.id] = value.value
    lists = (node for node in ast.walk(tree) if isinstance(node, ast.List))
    used = {part.id for node in lists for part in node.elts if isinstance(part, ast.Name)}
    yield from ((name, number) for name, number in numbers.items() if name in used)


def rows_of_the_page() -> dict[tuple[str, str], int]:
    """Return the number of each advisory key on the page, by its name and file."""
    found = re.findall(r"^\| `([A-Z_]+)`[^|]*\| ([0-9A-Fx_]+) \| `([\w/.]+)` \|", PAGE, re.MULTILINE)
    return {(name, file): int(number, 0) for name, number, file in found}


def test_every_advisory_key_is_on_the_page_and_no_other() -> None:
    found = {file: list(keys_of(text)) for file, text in code().items() if ADVISORY.search(text)}
    assert len(found) >= 6
    assert [file for file, keys in found.items() if not keys] == [], "Give each key a name in the file that locks."
    every = {(name, file): number for file, keys in found.items() for name, number in keys}
    assert rows_of_the_page() == every
    assert len(set(every.values())) == len(every)


def test_every_file_that_locks_rows_is_on_the_page() -> None:
    found = {file for file, text in code().items() if ROW_LOCK.search(text)}
    assert "billing/run.py" in found
    assert [file for file in sorted(found) if f"`{file}`" not in PAGE] == []
