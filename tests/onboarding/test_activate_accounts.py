"""`activate_accounts`: every source, each refusal with its reason, and dry and second runs, which change nothing."""

import io
import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.core.management import CommandError, call_command
from django.db import connection

from accounts.models import Account, User
from onboarding.models import Onboarding, Origin
from subscriptions.actions import install
from tests.conftest import INSTALLED

BY = {"by": "tom@example.com", "reason": "End of the season"}


def run(*numbers: str, **options: Any) -> tuple[str, int]:
    """Return the command's output and its exit status."""
    out = io.StringIO()
    try:
        call_command("activate_accounts", *numbers, stdout=out, stderr=io.StringIO(), **{**BY, **options})
    except CommandError as error:
        return f"{out.getvalue()}{error}", error.returncode
    return out.getvalue(), 0


def active_numbers() -> list[str]:
    return list(Onboarding.objects.active().order_by("account__number").values_list("account__number", flat=True))


@pytest.fixture
def accounts(make_account: Callable[..., Account], owner: User, catalogue: None, member: User) -> list[Account]:
    made = [make_account(str(100001 + number), owner=owner) for number in range(4)]
    for account in made[:3]:
        install(account, edition="cc-pro", by=owner, now=INSTALLED)
    return made


def test_the_numbered_are_activated_with_who_why_and_history(accounts: list[Account], member: User) -> None:
    said, status = run("100001", "100003", " 100001 ")
    assert status == 0
    assert "2 accounts activated.\n0 accounts refused." in said
    assert active_numbers() == ["100001", "100003"]
    row = Onboarding.objects.get(account=accounts[0])
    assert (row.activated_by, row.activated_from, row.reason) == (member, Origin.BATCH, "End of the season")
    assert [(entry.history_type, entry.history_user) for entry in row.history.all()][:1] == [("~", member)]
    assert row.history.count() == 2


@pytest.mark.owner
def test_one_bad_account_never_stops_the_rest(accounts: list[Account]) -> None:
    with connection.cursor() as cursor:  # the database refuses to activate the account in the middle
        cursor.execute(
            "CREATE FUNCTION poison() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            "RAISE EXCEPTION 'poisoned' USING ERRCODE = '23514'; END $$; "
            "CREATE TRIGGER poison BEFORE UPDATE ON onboarding_onboarding FOR EACH ROW "
            f"WHEN (NEW.account_id = {accounts[1].pk}) EXECUTE FUNCTION poison()"
        )
    said, status = run("100001", "100002", "100003", "100004", "424242", "nonsense", "1\0")
    assert status == 1
    assert active_numbers() == ["100001", "100003"]
    for line in (
        "2 accounts activated.",
        "5 accounts refused.",
        "100002: poisoned",
        "100004: Contact Center is not installed on this account.",
        "424242: There is no account with this number.",
        "nonsense: There is no account with this number.",
        "5 of 7 accounts refused.",
    ):
        assert line in said


def test_a_second_run_changes_nothing_and_says_so(accounts: list[Account]) -> None:
    run("100001", "100002")
    before = list(Onboarding.objects.order_by("pk").values()), Onboarding.history.count()
    said, status = run("100001", "100002")
    assert status == 1
    assert "0 accounts activated." in said
    assert said.count("is already active since") == 2
    assert (list(Onboarding.objects.order_by("pk").values()), Onboarding.history.count()) == before


def test_by_age_takes_those_in_onboarding_for_longer_and_a_second_run_finds_none(
    accounts: list[Account], make_account: Callable[..., Account], owner: User
) -> None:
    young = make_account("200001", owner=owner)
    install(young, edition="cc-pro", by=owner, now=datetime.now(UTC) - timedelta(days=59))
    said, status = run(older_than=60)
    assert (status, active_numbers()) == (0, ["100001", "100002", "100003"])
    said, status = run(older_than=60)
    assert (status, said) == (0, "0 accounts activated.\n0 accounts refused.\n")
    assert not Onboarding.objects.get(account=young).is_active


def test_sources_are_combined_and_each_account_counts_once(accounts: list[Account], tmp_path: Path) -> None:
    listed = tmp_path / "numbers.txt"
    listed.write_bytes("\ufeff# season's end\r\n100002  # called twice\r\n\r\n 100001\r\n100002\r\n".encode())
    said, status = run("100001", file=listed)
    assert (status, active_numbers()) == (0, ["100001", "100002"])
    assert "2 accounts activated." in said


def test_a_dry_run_writes_nothing_and_shows_what_would_be(accounts: list[Account]) -> None:
    run("100001")
    before = list(Onboarding.objects.order_by("pk").values()), Onboarding.history.count()
    said, status = run("100001", "100002", "100004", "9999", dry_run=True)
    assert status == 1
    assert "1 account would be activated.\n  100002  Company 100002  no deadline  $" in said
    assert "3 accounts would be refused." in said
    assert "already active since" in said
    assert (list(Onboarding.objects.order_by("pk").values()), Onboarding.history.count()) == before
    assert run("100002", dry_run=True)[1] == 0
    assert active_numbers() == ["100001"]


def test_a_long_summary_is_cut_and_told_in_full_when_asked(accounts: list[Account]) -> None:
    unknown = [str(900000 + number) for number in range(50)]
    said, _ = run(*unknown)
    assert len(said.splitlines()) < 30
    assert "… and 30 more; --verbosity 2 lists all." in said
    said, _ = run(*unknown, "100001", verbosity=2)
    assert "900049: There is no account" in said
    assert "\n  100001\n" in said


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"\x89PNG\r\n\xff\xfe\x00", "is not a text file in UTF-8"),
        ("100001".encode("utf-16"), "is not a text file in UTF-8"),
        (b"100001\x00", "is not a text file in UTF-8"),
        (None, "can't be read: No such file"),
    ],
)
def test_a_file_that_is_no_list_is_refused_in_words(
    content: bytes | None, said: str, accounts: list[Account], tmp_path: Path
) -> None:
    listed = tmp_path / "numbers.txt"
    if content is not None:
        listed.write_bytes(content)
    answer, status = run("100001", file=listed)
    assert status == 1
    assert said in answer
    assert active_numbers() == []


def test_a_folder_and_an_empty_file(accounts: list[Account], tmp_path: Path) -> None:
    assert "can't be read" in run(file=tmp_path)[0]
    empty = tmp_path / "empty.txt"
    empty.touch()
    assert run(file=empty) == (f"The file {empty} names no account.", 1)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"by": "nobody@example.com"}, "There is no user"),
        ({"by": "olivia@example.com"}, "can't activate accounts: Only the Onboarding team"),
        ({"by": "sam@example.com"}, "can't activate accounts: Only the Onboarding team"),
        ({"by": "gone@example.com"}, "can't activate accounts: Only the Onboarding team"),
        ({"reason": "  "}, "Enter a reason for the activation."),
    ],
)
def test_who_may_not_or_says_not_why_is_refused_in_one_sentence(
    change: dict[str, str],
    said: str,
    accounts: list[Account],
    supporter: User,
    make_user: Callable[..., User],
) -> None:
    make_user("gone@example.com", is_staff=True, is_superuser=True, is_active=False)
    for dry_run in (False, True):
        answer, status = run("100001", dry_run=dry_run, **change)
        assert status == 1
        assert said in answer
        assert len(answer.splitlines()) == 1
    assert active_numbers() == []


def test_accounts_must_be_said(accounts: list[Account]) -> None:
    assert "Specify accounts by number" in run()[0]
    assert active_numbers() == []


@pytest.mark.parametrize("days", ["-1", "x", "1e9", "99999", "1" * 400, "٣"])
def test_an_impossible_age_is_refused(days: str, accounts: list[Account]) -> None:
    with pytest.raises(CommandError, match="a whole number from 0 to 36,500 is needed"):
        call_command("activate_accounts", f"--older-than={days}", "--by=tom@example.com", "--reason=x")
    assert active_numbers() == []


@pytest.mark.owner
def test_who_loses_the_permission_as_it_is_used_activates_nothing(accounts: list[Account], member: User) -> None:
    with connection.cursor() as cursor:  # the activation itself removes the permission
        cursor.execute(
            "CREATE FUNCTION dismiss() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            "DELETE FROM accounts_user_groups; RETURN NULL; END $$; "
            "CREATE TRIGGER dismiss AFTER UPDATE ON onboarding_onboarding EXECUTE FUNCTION dismiss()"
        )
    said, status = run("100001", "100002")
    assert status == 1
    assert active_numbers() == []
    assert "Only an active member of staff" in said or "Only the Onboarding team" in said


@pytest.mark.owner
def test_a_single_permission_is_enough(accounts: list[Account], make_user: Callable[..., User]) -> None:
    other = make_user("ann@example.com", is_staff=True)
    other.user_permissions.add(Permission.objects.get(codename="activate_account"))
    assert run("100001", by="Ann@Example.com")[1] == 0


@pytest.fixture
def terminal() -> Iterator[tuple[int, Any]]:
    reader, writer = os.openpty()
    with os.fdopen(writer, "w") as stream:
        yield reader, stream
    os.close(reader)


def test_a_terminal_shows_a_progress_bar_and_a_pipe_none(
    accounts: list[Account], terminal: tuple[int, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", "xterm")
    reader, stream = terminal
    call_command("activate_accounts", "100001", stdout=io.StringIO(), stderr=stream, **BY)
    stream.flush()
    assert b"Accounts" in os.read(reader, 10_000)
    quiet = io.StringIO()
    call_command("activate_accounts", "100002", stdout=io.StringIO(), stderr=quiet, **BY)
    assert quiet.getvalue() == ""


def test_queries_do_not_grow_with_the_accounts(
    accounts: list[Account],
    make_account: Callable[..., Account],
    owner: User,
    django_assert_max_num_queries: Any,
    django_assert_num_queries: Any,
) -> None:
    for number in range(12):
        account = make_account(str(300001 + number), owner=owner)
        install(account, edition="cc-pro", by=owner, now=INSTALLED)
    with django_assert_max_num_queries(25) as few:
        run("100001")
    with django_assert_num_queries(len(few)):
        run(*[str(300001 + number) for number in range(12)])
