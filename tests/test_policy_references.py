"""Every rule and page that code, docs, templates and help texts mention exists, and every link has a target."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.policy_references import (
    APPS,
    BRACKETS,
    POLICIES,
    POLICY,
    ROOT,
    RULE,
    anchors_of,
    links_of,
    numbers_in,
    prose_of,
    texts,
    words_of,
)

PAGES = {"R": "requirements.md", "I": "invariants.md"}
MARKDOWN = [name for name in texts() if name.endswith(".md")]
# The name of a file, with or without its folder; `docs/` and `docs/policy/` may be left out.
PAGE = re.compile(r"[\w./-]*\w\.md\b")
NAMED = re.compile(r"billing[- ]polic|\bpolic(?:y|ies) [0-9]")
TEMPLATE_COMMENT = re.compile(r"\{#.*?#\}|\{% comment %\}.*?\{% endcomment %\}", re.DOTALL)


def mentioned() -> Iterator[tuple[str, str, str]]:
    """Yield each mention of a rule as (file, page of the rule, anchor of the rule)."""
    for name, text in texts().items():
        for letter, number in RULE.findall(text):
            yield name, PAGES[letter], f"{letter}{number}".lower()
        for listed in POLICIES.findall(text):
            for number in numbers_in(listed):
                yield name, "billing-policy.md", f"policy-{number}"


def in_brackets() -> Iterator[tuple[str, int]]:
    """Yield (file, number) for each policy that a docstring or comment cites only by its number."""
    for name, text in texts().items():
        if name.endswith(".py"):
            for prose in prose_of(text):
                yield from ((name, number) for listed in BRACKETS.findall(prose) for number in numbers_in(listed))


def test_every_rule_that_is_mentioned_has_a_heading() -> None:
    there = {page.name: anchors_of(page) for page in POLICY.glob("*.md")}
    every = list(mentioned())
    assert {page for _, page, _ in every} == set(there)  # every page is cited, which shows that the patterns work
    assert [(name, anchor) for name, page, anchor in every if anchor not in there[page]] == []


def test_a_number_in_brackets_is_a_policy_in_a_file_that_names_the_policy() -> None:
    there = anchors_of(POLICY / "billing-policy.md")
    every = list(in_brackets())
    assert "billing/pricing/charges.py" in {name for name, _ in every}
    assert [(name, number) for name, number in every if f"policy-{number}" not in there] == []
    silent = {name for name, _ in every if not NAMED.search(texts()[name])}
    assert silent == set(), "Say “billing policy 5” where the file does not say what the number is of."


def test_the_policy_has_no_gaps() -> None:
    """A rule that is cited by number keeps its number, so a rule that is dropped must leave its heading."""
    for page, prefix, count in (("requirements", "r", 47), ("invariants", "i", 29), ("billing-policy", "policy-", 19)):
        anchors = anchors_of(POLICY / f"{page}.md")
        assert {f"{prefix}{number}" for number in range(1, count + 1)} <= anchors


def test_every_page_that_is_mentioned_is_there() -> None:
    places = (ROOT, ROOT / "docs", POLICY, ROOT / "tests/call-files")
    gone = [
        (name, page)
        for name, text in texts().items()
        if name != Path(__file__).relative_to(ROOT).as_posix()
        for page in PAGE.findall(text)
        if not any((place / page).is_file() for place in (*places, (ROOT / name).parent))
    ]
    assert gone == []


def test_no_page_is_named_where_customers_and_staff_read() -> None:
    shown = [
        (name, words)
        for name, text in texts().items()
        if name.startswith(tuple(f"{app}/" for app in APPS)) and name.endswith(".py")
        for words in words_of(text)
    ]
    shown += [(name, TEMPLATE_COMMENT.sub("", text)) for name, text in texts().items() if name.startswith("templates/")]
    assert len(shown) > 1000
    assert [(name, words) for name, words in shown if PAGE.search(words)] == []


@pytest.mark.parametrize("name", MARKDOWN)
def test_every_link_leads_to_a_file_and_a_heading(name: str) -> None:
    lost = []
    for link in links_of(texts()[name]):
        if re.match(r"[a-z]+:", link):
            continue  # an external link
        path, _, anchor = link.partition("#")
        target = (ROOT / name).parent / path if path else ROOT / name
        if not target.exists() or (anchor and anchor not in anchors_of(target)):
            lost.append(link)
    assert lost == []


def test_every_decision_is_in_the_index() -> None:
    folder = ROOT / "docs/decisions"
    pages = {page.name for page in folder.glob("[0-9]*.md")}
    assert set(links_of((folder / "README.md").read_text())) == pages


FOLDERS_NAMED = "|".join((*APPS, "benchmarks", "docs", "templates", "tests"))
PATH = re.compile(rf"`((?:{FOLDERS_NAMED})/[\w./-]*\w/?)`")


def test_every_path_that_is_named_is_there() -> None:
    """The changelog, which mentions old paths, and the given texts of docs/policy are exempt."""
    files = [name for name in texts() if name != "CHANGELOG.md" and not name.startswith("docs/policy/")]
    found = {(name, path) for name in files for path in PATH.findall(texts()[name])}
    assert len(found) > 100
    assert sorted((name, path) for name, path in found if not (ROOT / path).exists()) == []
