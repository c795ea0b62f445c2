"""Which tests are races, kills and guards, and which are slow: told by the names of their files.

`make quick` leaves out all of them, and what Hypothesis tries (it marks that itself, as `hypothesis`).
"""

from pathlib import Path

import pytest

RACING = {"at_once", "until_done_or_waiting"}  # of tests/racing.py

# Files by mark: those whose name has one of the words.
MARKS = {
    "race": ("races", "busy_pages"),
    "kill": ("killed", "schedule_races", "worker"),
    "guard": ("guards", "history_by_the_database", "isolation"),
    # Seconds each: new processes or databases, hundreds of pages, or nights of a whole year.
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


def mark(item: pytest.Item) -> None:
    """Give the test its marks."""
    file = str(Path(*item.path.parts[-2:]).with_suffix(""))
    for name, words in MARKS.items():
        if any(word in file for word in words):
            item.add_marker(name)
    if isinstance(item, pytest.Function) and RACING.intersection(item.function.__code__.co_names):
        item.add_marker("race")
