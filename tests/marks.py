"""Marks tests as `race`, `kill`, `guard` or `slow` by the names of their files, and with the role that they run as.

`make quick` skips all of these, and also tests with Hypothesis, which marks them itself as `hypothesis`.
"""

import os
from pathlib import Path

import pytest

RACING = {"at_once", "until_done_or_waiting"}  # functions of tests/racing.py; a test that calls one of them is a race

# For each mark, parts of file names: a test has the mark if its file's name contains one of them.
MARKS = {
    "race": ("races", "busy_pages"),
    "kill": ("killed", "schedule_races", "worker"),
    "guard": ("guards", "history_by_the_database", "isolation"),
    # These take seconds each: they start processes, create databases, load hundreds of pages, or run a year of nights.
    "slow": (
        "admin_pages",
        "bill_run_command",
        "billing/test_pages",
        "call_dialects",
        "call_files",
        "cases",
        "catalogue",
        "credit_notes",
        "database",
        "demo",
        "health",
        "import_admin",
        "invoice_admin",
        "language",
        "late_months",
        "make_roles",
        "messages",
        "metrics",
        "onboarding/test_admin",
        "one_bad_account",
        "policy_references",
        "queries_of_pages",
        "replay_case",
        "second_factor",
        "sending",
        "settings",
        "static",
        "subscription_page",
        "test_schedule",
        "upgrade",
        "void_admin",
        "worklist",
    ),
}

# The files whose tests run as a role of the product; see `tests/roles.py`.
AS_ROLE: dict[str, tuple[str, ...]] = {"web": (), "worker": ()}


def mark(item: pytest.Item) -> None:
    """Add the marks to a collected test."""
    file = str(Path(*item.path.parts[-2:]).with_suffix(""))
    for name, words in MARKS.items():
        if any(word in file for word in words):
            item.add_marker(name)
    if isinstance(item, pytest.Function) and RACING.intersection(item.function.__code__.co_names):
        item.add_marker("race")
    for role, places in AS_ROLE.items():
        if any(place in str(item.path) for place in places):
            item.add_marker(pytest.mark.role(role))
    if role := os.environ.get("TEST_ROLE"):
        item.add_marker(pytest.mark.role(role), append=False)
