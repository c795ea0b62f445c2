"""`activate_accounts`: which accounts a list, the worklist's CSV, standard input and an age name, and the preview."""

import io
import sys
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client

from accounts.models import Account, User
from core.clock import database_now
from core.dates import day_in_words
from onboarding import activating
from onboarding.actions import remove_deadline, schedule_activation, set_deadline
from onboarding.management.commands import activate_accounts
from onboarding.models import Onboarding
from subscriptions.actions import install
from tests.conftest import INSTALLED
from tests.onboarding.test_activate_accounts import accounts, active_numbers, run
from tests.roles import as_owner

__all__ = ["accounts"]
NUMBERS = ["100001", "100002", "100003"]


def later(account: Account, days: int) -> date:
    return account.day_of(database_now()) + timedelta(days=days)


@pytest.fixture
def listed(tmp_path: Path) -> Callable[[bytes], Path]:
    def write(content: bytes) -> Path:
        path = tmp_path / "accounts"
        path.write_bytes(content)
        return path

    return write


@pytest.fixture
def standard_input(monkeypatch: pytest.MonkeyPatch) -> Callable[[bytes], Path]:
    """Return a function that puts bytes on standard input, and returns the path that stands for it."""

    def put(content: bytes) -> Path:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))
        return Path("-")

    return put


def test_the_worklists_own_csv_is_a_list(
    accounts: list[Account], member: User, client: Client, listed: Callable[[bytes], Path]
) -> None:
    with as_owner():
        Account.objects.filter(pk=accounts[1].pk).update(company='Heron, "Clinics"\n#1')
        client.force_login(member)
        exported = b"".join(client.get("/admin/onboarding/onboarding/csv/?q=10000"))  # type: ignore[arg-type]
    assert exported.startswith(b"account,company,")
    said, status = run(file=listed(exported))
    assert (status, active_numbers()) == (0, NUMBERS), said


@pytest.mark.parametrize(
    "content",
    [
        'account,company\r\n100001,Acme\r\n\r\n100003,"A\r\nB, #1"\r\n',
        '\ufeffcompany;Account\n"Acme; Inc";100001\nHeron;100003\n',
        "\n account \t company\n100001\tAcme\n;\t\n100003\tHeron".replace(";", ""),
        "account\n100001\n100003\n",
        "# the season's end\n100001\n100003 # called twice\n",
    ],
)
def test_what_a_spreadsheet_makes_of_it_is_read_too(
    content: str, accounts: list[Account], listed: Callable[[bytes], Path]
) -> None:
    said, status = run(file=listed(content.encode()))
    assert (status, active_numbers()) == (0, ["100001", "100003"]), said


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"company,account\nAcme,100001\nHeron\n", "has no account number in line 3. Fill it in or remove the line."),
        (b"account,company\n", "names no account."),
        (b"account,company\n100001," + b"x" * 200_000, "can't be read as CSV in line 2"),
        (b"x" * 200_000, "There is no account with this number."),
        (b"# nothing\n\n", "names no account."),
        (b"account\n100001\x00", "is not a text file in UTF-8"),
    ],
)
@pytest.mark.parametrize("source", ["listed", "standard_input"])
def test_what_can_not_be_read_is_refused_in_words(
    source: str, content: bytes, said: str, accounts: list[Account], request: pytest.FixtureRequest
) -> None:
    answer, status = run(file=request.getfixturevalue(source)(content))
    assert status == 1
    assert said in answer
    assert ("Standard input" in answer) == (source == "standard_input" and "There is no" not in said)
    assert active_numbers() == []


def test_a_dash_reads_standard_input(accounts: list[Account], standard_input: Callable[[bytes], Path]) -> None:
    assert run(file=standard_input(b"100001\n100003\n"))[1] == 0
    assert active_numbers() == ["100001", "100003"]


def test_a_dash_on_the_command_line_is_standard_input(
    accounts: list[Account], standard_input: Callable[[bytes], Path]
) -> None:
    standard_input(b"account,company\n100002,Heron\n")
    call_command(
        "activate_accounts", "--file", "-", "--by", "tom@example.com", "--reason", "Ready", stdout=io.StringIO()
    )
    assert active_numbers() == ["100002"]


def test_without_standard_input_no_account_is_named(accounts: list[Account], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", None)
    assert run(file=Path("-")) == ("Standard input names no account.", 1)


@pytest.fixture
def postponed(accounts: list[Account], member: User) -> list[Account]:
    """The second account is scheduled, and the third has a later deadline."""
    now = database_now()
    schedule_activation(accounts[1], on=later(accounts[1], 9), reason="Agreed", by=member, now=now)
    set_deadline(accounts[2], on=later(accounts[2], 30), reason="Training", by=member, now=now)
    return accounts


def test_by_age_those_that_the_team_postponed_are_left_out_with_the_reason(postponed: list[Account]) -> None:
    said, status = run(older_than=60)
    assert (status, active_numbers()) == (0, ["100001"])
    assert "1 account activated.\n2 accounts left out because the team postponed them. Add --include-postponed" in said
    assert f"100002: Activation scheduled for {day_in_words(later(postponed[1], 9))}" in said
    assert f"100003: Custom deadline: {day_in_words(later(postponed[2], 30))}" in said


@pytest.mark.parametrize(("dry_run", "would"), [(True, "would be "), (False, "")])
def test_one_that_the_team_postponed_is_not_called_them(
    dry_run: bool, would: str, accounts: list[Account], member: User
) -> None:
    schedule_activation(accounts[1], on=later(accounts[1], 9), reason="Agreed", by=member)
    said, status = run(older_than=60, dry_run=dry_run)
    assert status == 0
    expected = f"1 account {would}left out because the team postponed it. Add --include-postponed to activate it too.\n"
    assert expected in said


def test_the_help_says_what_is_left_out_and_that_this_is_no_failure() -> None:
    command = activate_accounts.Command().create_parser("manage.py", "activate_accounts")
    text = " ".join(command.format_help().split())
    assert "except those the team postponed (custom deadline, no deadline, or scheduled activation)" in text
    assert "Accounts left out because the team postponed them don't count as skipped for the exit status." in text


def test_by_age_those_that_the_team_postponed_are_taken_if_asked_for(postponed: list[Account]) -> None:
    said, status = run(older_than=60, include_postponed=True)
    assert (status, active_numbers()) == (0, NUMBERS)
    assert "left out" not in said


def test_by_number_they_are_activated(postponed: list[Account]) -> None:
    assert run("100002", "100003")[1] == 0
    assert active_numbers() == ["100002", "100003"]


def test_a_removed_deadline_postpones_too_and_one_that_has_passed_or_is_sooner_does_not(
    accounts: list[Account], member: User, settings: Any
) -> None:
    settings.ONBOARDING_DEADLINE_DAYS = 3_000
    day = timedelta(days=1)
    set_deadline(accounts[0], on=later(accounts[0], 9), reason="Sooner than others", by=member)
    with as_owner():
        Onboarding.objects.filter(account=accounts[1]).update(
            deadline_rule="fixed", deadline_on=later(accounts[1], 0) - day, deadline_reason="Passed"
        )
    remove_deadline(accounts[2], reason="A big one", by=member)
    said, _ = run(older_than=60)
    assert active_numbers() == ["100001", "100002"]
    assert "100003: Deadline removed" in said


def test_what_is_postponed_when_it_is_locked_is_left_out_too(
    accounts: list[Account], member: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def checkpoint(name: str) -> None:
        if name == "after lock" and not Onboarding.objects.filter(scheduled_on__isnull=False):
            schedule_activation(accounts[1], on=later(accounts[1], 9), reason="Just now", by=member)

    monkeypatch.setattr(activating, "checkpoint", checkpoint)
    said, status = run(older_than=60)
    assert (status, active_numbers()) == (0, ["100001", "100003"])
    assert "1 account left out" in said


@pytest.mark.parametrize("dry_run", [False, True])
def test_an_age_goes_with_no_numbers(accounts: list[Account], listed: Callable[[bytes], Path], dry_run: bool) -> None:
    for said, status in (
        run("100001", older_than=60, dry_run=dry_run),
        run(file=listed(b"100001"), older_than=0, dry_run=dry_run),
    ):
        assert status == 1
        assert said.startswith("--older-than can't be combined with account numbers or --file")
        assert len(said.splitlines()) == 1
    assert active_numbers() == []


def test_what_was_postponed_is_asked_for_by_age_only(accounts: list[Account]) -> None:
    said, status = run("100001", include_postponed=True)
    assert status == 1
    assert said.startswith("--include-postponed only goes with --older-than")
    assert active_numbers() == []


def test_a_dry_run_shows_company_deadline_and_amounts(
    accounts: list[Account], make_account: Callable[..., Account], owner: User, settings: Any
) -> None:
    settings.ONBOARDING_DEADLINE_DAYS = 60
    large = make_account("100009", owner=owner, company="Heron & Sons <Clinics>")
    install(large, edition="cc-pro", by=owner, now=INSTALLED)
    said, status = run("100001", "100009", dry_run=True)
    assert status == 0
    lines = said.splitlines()
    assert lines[0] == "2 accounts would be activated."
    due = f"due {day_in_words(INSTALLED.date() + timedelta(days=60))}"
    assert lines[1].startswith(f"  100001  Company 100001          {due}  $")
    assert lines[2].startswith(f"  100009  Heron & Sons <Clinics>  {due}  $")
    assert " a month, first invoice $" in lines[1]
    assert lines[3].startswith("  Total: $")
    assert active_numbers() == []


def test_a_long_preview_is_cut_and_its_total_is_of_all(
    accounts: list[Account], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("onboarding.management.commands.activate_accounts.SHOWN", 1)
    cut, _ = run(*NUMBERS, dry_run=True)
    full, _ = run(*NUMBERS, dry_run=True, verbosity=2)
    assert "  … and 2 more; --verbosity 2 lists all." in cut
    assert [line for line in cut.splitlines() if "Total" in line] == [
        line for line in full.splitlines() if "Total" in line
    ]
    assert all(number in full for number in NUMBERS)
    monkeypatch.setattr("billing.templatetags.billing.MOST_PREVIEWED", 2)
    cut, _ = run(*NUMBERS, dry_run=True)
    assert "$" in cut
    assert "Total" not in cut
    assert "amount not calculated" in run(*NUMBERS, dry_run=True, verbosity=2)[0]


def test_a_preview_makes_no_query_for_each_account(
    accounts: list[Account], django_assert_max_num_queries: Any, django_assert_num_queries: Any
) -> None:
    with django_assert_max_num_queries(30) as few:
        run("100001", dry_run=True)
    with django_assert_num_queries(len(few)):
        run(*NUMBERS, dry_run=True)


@pytest.mark.parametrize("options", [{}, {"dry_run": True}])
def test_more_than_the_days_cap_are_refused_at_once_unless_by_an_administrator(
    options: dict[str, bool], accounts: list[Account], root: User, settings: Any
) -> None:
    settings.ONBOARDING_ACTIVATIONS_A_DAY = 2
    said, status = run(older_than=60, **options)
    assert status == 1
    assert said.endswith("Choose fewer accounts, continue tomorrow, or ask an administrator.")
    assert active_numbers() == []
    said, status = run(older_than=60, by=root.email, **options)
    assert status == 0
    assert active_numbers() == ([] if options else NUMBERS)


def test_the_preview_of_what_has_no_contact_center_is_its_refusal(accounts: list[Account]) -> None:
    said, status = run("100004", dry_run=True)
    assert status == 1
    assert said.startswith("0 accounts would be activated.\n1 account would be refused.")
