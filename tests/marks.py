"""Marks tests as `race`, `kill`, `guard` or `slow` by the names of their files, and with the role that they run as.

`make quick` skips all of these, and also tests with Hypothesis, which marks them itself as `hypothesis`.
"""

import os
from pathlib import Path

import pytest

# Functions of tests/racing.py; a test that calls one of them is a race.
RACING = {"at_once", "one_after_the_other", "until_done_or_waiting"}

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
AS_ROLE = {
    "worker": (
        "billing/calls/test_call_f",
        "billing/calls/test_import_c",
        "billing/calls/test_import_killed",
        "billing/calls/test_import_races",
        "billing/calls/test_reconcile",
        "billing/calls/test_record_identity",
        "billing/calls/test_void_calls",
        "billing/calls/test_void_races",
        "billing/runs/test_automatic_bills",
        "billing/runs/test_bill_run",
        "billing/runs/test_late_months",
        "billing/runs/test_rejected_bills",
        "billing/runs/test_unbilled_months",
        "billing/runs/test_workers",
        "config/test_jobs.py",
        "config/test_worker",
        "onboarding/test_activate_accounts",
        "onboarding/test_run_schedule",
        "onboarding/test_tasks",
        "subscriptions/test_load_catalogue",
    ),
    "web": (
        "tests/accounts/",
        "tests/onboarding/",
        "tests/subscriptions/",
        "billing/calls/test_call_mappings",
        "billing/calls/test_import_admin",
        "billing/calls/test_void_admin",
        "billing/previews/",
        "billing/runs/test_bills_on_hold",
        "billing/test_correct_timezone",
        "billing/test_credit_notes",
        "billing/test_invoice_admin",
        "billing/test_pages",
    ),
}
# Files about what only the owner of the tables can do.
OF_THE_OWNER = ("guards", "history_by_the_database", "notices/test_upgrade", "test_writing_history", "test_zones")


def mark(item: pytest.Item) -> None:
    """Add the marks to a collected test."""
    file = str(Path(*item.path.parts[-2:]).with_suffix(""))
    for name, words in MARKS.items():
        if any(word in file for word in words):
            item.add_marker(name)
    if isinstance(item, pytest.Function) and RACING.intersection(item.function.__code__.co_names):
        item.add_marker("race")
    path = str(item.path)
    role = os.environ.get("TEST_ROLE") or next(
        (role for role, places in AS_ROLE.items() if any(place in path for place in places)), None
    )
    if role and not any(word in path for word in OF_THE_OWNER):
        item.add_marker(pytest.mark.role(role))
