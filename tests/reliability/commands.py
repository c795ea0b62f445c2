"""Every management command and job of ours: what is killed of it, or why it needn't be."""

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import transaction
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from procrastinate.contrib.django import app

from accounts.models import NumberAssignment, User
from billing.calls import batches, matching, staging, voiding
from core.jobs import cleaning
from core.outbox import delivery
from onboarding.actions import activate_many, schedule_activation
from onboarding.models import Onboarding
from subscriptions.actions import unassign_number
from tests.billing.bills import called, number_of
from tests.billing.call_rows import HEADER, imported, row
from tests.conftest import INSTALLED, catalogue_content
from tests.guarding import sql

Request = pytest.FixtureRequest


@dataclass(frozen=True)
class Command:
    """What a test runs: `set_up` makes the rows, and returns the arguments of the command.

    `smaller` patches the process that runs it, so that few rows are several chunks. `but` are tables that keep a log of
    the runs themselves. `again` are the exit statuses of a run after one that was killed.
    """

    set_up: Callable[[Request], list[str]]
    smaller: Callable[[], object] = lambda: None
    but: frozenset[str] = frozenset()
    again: tuple[int, ...] = (0,)
    is_job: bool = False

    def work(self, name: str, arguments: list[str]) -> Callable[[], object]:
        """Return what the process does."""

        def run() -> None:
            self.smaller()
            if self.is_job:
                app.tasks[name].func(timestamp=0)
                return
            try:
                call_command(name, *arguments)  # without the system checks, which take longer than the command
            except CommandError as error:
                sys.stderr.write(f"{error}\n")
                sys.exit(error.returncode)

        return run


def five_accounts(request: Request) -> list[str]:
    """Make five accounts in onboarding, and return their numbers."""
    make_account, owner = (request.getfixturevalue(name) for name in ("make_account", "owner"))
    accounts = [make_account(f"2000{number:02}", owner=owner) for number in range(5)]
    for account in accounts:
        Onboarding.objects.create(account=account, started_at=INSTALLED)
    return [account.number for account in accounts]


def to_activate(request: Request) -> list[str]:
    return [*five_accounts(request), "--by", request.getfixturevalue("member").email, "--reason", "Ready"]


def to_activate_by_schedule(request: Request) -> list[str]:
    five_accounts(request)
    User.objects.system_member()  # otherwise made by the first activation, with a random password that is no password
    for waiting in Onboarding.objects.select_related("account"):
        schedule_activation(
            waiting.account,
            on=date(2026, 5, 5),
            reason="As agreed",
            by=request.getfixturevalue("member"),
            now=datetime(2026, 4, 28, 12, tzinfo=UTC),
        )
    return []


def to_send(request: Request) -> list[str]:
    five_accounts(request)
    keys = list(Onboarding.objects.values_list("account_id", flat=True))
    for _ in activate_many(keys, by=request.getfixturevalue("member"), reason="Ready"):
        pass
    return []


def to_import(request: Request) -> list[str]:
    request.getfixturevalue("answered")
    path: Path = request.getfixturevalue("tmp_path") / "calls.csv"
    path.write_text("\n".join([HEADER, *(row(f"c{number}") for number in range(30))]) + "\n")
    return [str(path)]


def to_match(request: Request) -> list[str]:
    """Import calls to a number that is assigned only afterwards, for the time of the calls."""
    number, account, owner = (request.getfixturevalue(name) for name in ("answered", "account", "owner"))
    unassign_number(account, number, by=owner, now=INSTALLED + timedelta(hours=1))
    imported([row(f"c{each}") for each in range(6)])
    period = DateTimeTZRange(INSTALLED + timedelta(hours=2), None)
    NumberAssignment.objects.create(account=account, number=number, period=period, assigned_by=owner)
    return []


def to_void(request: Request) -> list[str]:
    request.getfixturevalue("answered")
    received = imported([row(f"c{number}") for number in range(6)])
    return ["--import", str(received.pk), "--by", request.getfixturevalue("biller").email, "--reason", "Wrong"]


def to_bill(request: Request) -> list[str]:
    accounts = request.getfixturevalue("customers")(5)
    number_of(accounts[0], "+18005550100", by=request.getfixturevalue("owner"))
    called("c1", minutes=100)
    return ["--month", "2026-03"]


def to_skip(request: Request) -> list[str]:
    return ["invoices", "1000", "--why", "Given before", "--by", request.getfixturevalue("root").email]


def to_load(request: Request) -> list[str]:
    """Write a file with the first item of each section of the cases' catalog."""
    request.getfixturevalue("db")
    path: Path = request.getfixturevalue("tmp_path") / "catalogue.json"
    sections = catalogue_content().items()
    path.write_text(json.dumps({name: rows[:1] if isinstance(rows, list) else rows for name, rows in sections}))
    return [str(path)]


def to_clean_up(request: Request) -> list[str]:
    """Leave jobs that were done long ago, and errors of jobs that are gone."""
    request.getfixturevalue("db")
    sql("DELETE FROM django_session; DELETE FROM django_cache")  # what other tests left: these are not put back
    with transaction.atomic():
        sql("SET LOCAL session_replication_role = replica")  # so that the queue notes no events of today
        sql(
            "INSERT INTO procrastinate_jobs (queue_name, task_name, status) "
            "SELECT 'default', 'core.clean_up', 'succeeded' FROM generate_series(1, 5)"
        )
        sql(
            "INSERT INTO config_joberror (job_id, at, traceback) "
            "SELECT 1000000 + number, clock_timestamp(), 'Gone' FROM generate_series(1, 5) number"
        )
    return []


def to_look_at_calls(request: Request) -> list[str]:
    to_void(request)
    return []


def with_chunks(command: str, *verbs: str) -> Callable[[], None]:
    """Return what lets a command's module call its verbs with chunks of two accounts."""

    def patch() -> None:
        module = import_module(command)
        for verb in verbs:
            setattr(module, verb, partial(getattr(module, verb), chunk=2))

    return patch


def small(*places: Any, size: int = 2) -> Callable[[], None]:
    """Return what sets constants; each place is a module and the name of one."""

    def patch() -> None:
        for module, name in places:
            setattr(module, name, size)

    return patch


_ACTIVATE, _SCHEDULE = (f"onboarding.management.commands.{name}" for name in ("activate_accounts", "run_schedule"))
COMMANDS = {
    "activate_accounts": Command(to_activate, with_chunks(_ACTIVATE, "activate_many"), again=(0, 1)),
    "run_schedule": Command(
        to_activate_by_schedule, with_chunks(_SCHEDULE, "activate_scheduled", "activate_overdue", "announce")
    ),
    "send_notices": Command(to_send, small((delivery, "BATCH"))),
    "import_calls": Command(
        to_import,
        small((batches, "ROWS"), (staging, "ROWS"), size=10),
        but=frozenset({"billing_callimport"}),
        again=(0, 1),
    ),
    "match_calls": Command(to_match, small((matching, "CHUNK"))),
    "void_calls": Command(to_void, small((voiding, "CHUNK"))),
    "bill_run": Command(
        to_bill,
        with_chunks("billing.management.commands.bill_run", "run_bills"),
        but=frozenset({"billing_billrun"}),
    ),
    "skip_numbers": Command(to_skip, again=(0, 1)),
    "load_catalogue": Command(to_load),
    "core.clean_up": Command(to_clean_up, small((cleaning, "CHUNK")), is_job=True),
    "billing.count_unbilled": Command(to_bill, is_job=True),
    "billing.call_feed": Command(to_look_at_calls, is_job=True),
}
# Commands that write no row of the product's database, and why they needn't be killed.
ONLY_READ = {
    "check_billing": "computes bills and writes none",
    "reconcile_calls": "counts",
    "verify_documents": "computes digests and writes none",
    "export_documents": "writes files, each whole or not at all; run again, it writes the rest",
    "export_journal": "writes one file, whole or not at all",
    "guards": "compares; with --write, it writes files of the source code, which a developer looks at",
}
# Commands and jobs that other tests kill.
ELSEWHERE = {
    "make_roles": "reliability.test_roles_killed::test_killed_and_run_again_all_rights_are_given_or_none",
    "migrate": "config.test_demo::test_the_demo_tells_its_story_and_starts_clean_again",
    "demo": "config.test_demo::test_the_demo_tells_its_story_and_starts_clean_again",
    "replay_case": "billing.test_replay_case::test_killed_and_run_again_it_prints_the_same",
    "worker": "config.test_worker::test_a_job_whose_worker_is_killed_in_the_middle_is_rescued_and_done_once",
    "core.rescue": "config.test_worker::test_a_job_whose_worker_is_killed_in_the_middle_is_rescued_and_done_once",
    "billing.bill_run": "config.test_worker::test_a_job_whose_worker_is_killed_in_the_middle_is_rescued_and_done_once",
    "onboarding.schedule": "onboarding.test_schedule_races::test_killed_and_run_again_each_is_activated_once",
    "core.send_mail": "onboarding.notices.test_sending::test_killed_at_any_point_all_are_sent_and_at_most_one_twice",
}
