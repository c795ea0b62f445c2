"""Finds the rules and files that our texts mention, and the headings of a page."""

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[1]
POLICY = ROOT / "docs/policy"
APPS = ("core", "accounts", "onboarding", "subscriptions", "billing", "demo", "config")
FOLDERS = (*APPS, "benchmarks", "docs", "static", "templates", "tests", ".ci", ".github")
SUFFIXES = {".css", ".html", ".js", ".md", ".py", ".subject", ".toml", ".txt", ".yaml", ".yml", ""}
DATA = ("tests/cases/", "tests/call-files/")  # not our own texts

RULE = re.compile(r"\b([RI])([0-9]{1,2})\b")
NUMBERS = r"[0-9]+(?:(?:, | and |, and |–)[0-9]+)*"
POLICIES = re.compile(rf"(?:billing-policy\.md,|\bpolic(?:y|ies))\s+({NUMBERS})\b", re.IGNORECASE)
BRACKETS = re.compile(r"\(([0-9]{1,2}(?:(?:, | and |–)[0-9]{1,2})*)\)")
FENCED = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"`[^`\n]*`")


@cache
def texts() -> dict[str, str]:
    """Return the text of each file that we write, by its path from the root, without data of tests."""
    paths = [path for folder in FOLDERS for path in (ROOT / folder).rglob("*")]
    paths += [path for path in ROOT.iterdir() if path.suffix == ".md" or path.name in ("Makefile", "pyproject.toml")]
    named = {path.relative_to(ROOT).as_posix(): path for path in paths if path.is_file() and path.suffix in SUFFIXES}
    return {name: path.read_text() for name, path in sorted(named.items()) if not name.startswith(DATA)}


def numbers_in(listed: str) -> list[int]:
    """Return the numbers in a list that is written as text; `2–4 and 10` has four."""
    found: list[int] = []
    for first, last in re.findall(r"([0-9]+)(?:–([0-9]+))?", listed):
        found += range(int(first), int(last or first) + 1)
    return found


def prose_of(source: str) -> Iterator[str]:
    """Yield the docstrings and comments of a Python file."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield ast.get_docstring(node) or ""
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield token.string


def words_of(source: str) -> Iterator[str]:
    """Yield the strings of a Python file that are not docstrings, and so may be shown to people."""
    tree = ast.parse(source)
    statements = (node.value for node in ast.walk(tree) if isinstance(node, ast.Expr))
    loose = {id(value) for value in statements}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in loose:
            yield node.value


def anchors_of(page: Path) -> set[str]:
    """Return the anchors of a Markdown page, which GitHub makes of its headings."""
    found: dict[str, int] = {}
    anchors = set()
    for heading in re.findall(r"^#{1,6} +(.+?) *$", FENCED.sub("", page.read_text()), re.MULTILINE):
        anchor = re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        times = found[anchor] = found.get(anchor, -1) + 1
        anchors.add(f"{anchor}-{times}" if times else anchor)
    return anchors


def links_of(text: str) -> list[str]:
    """Return the targets of a Markdown page's links and pictures, except in code."""
    return re.findall(r"\]\(([^()\s]+)\)", CODE.sub("", FENCED.sub("", text)))
