"""`run_schedule`: its output in a dry run and a real run, with refusals. It uses the database's clock."""

import io
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from accounts.models import Account, User
from accounts.zones import places
from core.clock import database_now
from onboarding.actions import schedule_activation
from onboarding.models import Notice, NoticeKind, Onboarding, Origin
from tests.guarding import nothing_written, settle, sql


def run(**options: Any) -> tuple[str, int]:
    """Return the command's output and its exit status."""
    out = io.StringIO()
    try:
        call_command("run_schedule", stdout=out, stderr=io.StringIO(), **options)
    except CommandError as error:
        return f"{out.getvalue()}{error}", error.returncode
    return out.getvalue(), 0


def zone_of_night(now: datetime) -> str:
    """Return a time zone in which it is between 2 and 3 a.m., so that tests pass at any time of day."""
    return next(name for name in places() if now.astimezone(ZoneInfo(name)).hour == 2)


@pytest.fixture
def accounts(make_account: Callable[..., Account], owner: User, member: User, settings: Any) -> dict[str, Account]:
    """One account scheduled for today, one whose announced deadline was yesterday, one to announce, and a young one."""
    settings.ONBOARDING_DEADLINE_DAYS = 60
    now = database_now()
    ages = {"scheduled": 10, "overdue": 61, "late": 100, "young": 10}
    made: dict[str, Account] = {}
    for number, (name, age) in enumerate(ages.items()):
        made[name] = make_account(str(400001 + number), owner=owner, timezone=zone_of_night(now))
        Onboarding.objects.create(account=made[name], started_at=now - timedelta(days=age))
    today = made["overdue"].day_of(now)
    Onboarding.objects.filter(account=made["overdue"]).update(announced_for=today)
    schedule_activation(made["scheduled"], on=today, reason="As agreed", by=member)
    settle()
    return made


def test_a_dry_run_says_what_would_happen_and_writes_nothing(accounts: dict[str, Account]) -> None:
    with nothing_written():
        said, status = run(dry_run=True)
    assert (status, said) == (
        0,
        "1 account would be activated by their schedule.\n  400001\n"
        "1 account would be activated by their deadline.\n  400002\n"
        "1 account would be announced, or announced no more.\n  400003\n",
    )


def test_it_happens_and_a_second_run_finds_nothing(accounts: dict[str, Account]) -> None:
    said, status = run()
    assert (status, said) == (
        0,
        "1 account activated by their schedule.\n1 account activated by their deadline.\n"
        "1 account announced, or announced no more.\n0 accounts refused.\n",
    )
    modes = {name: Onboarding.objects.get(account=account) for name, account in accounts.items()}
    assert [name for name, mode in modes.items() if mode.is_active] == ["scheduled", "overdue"]
    assert {modes[name].activated_from for name in ("scheduled", "overdue")} == {Origin.SCHEDULE}
    assert [name for name, mode in modes.items() if mode.announced_for] == ["scheduled", "overdue", "late"]
    assert Notice.objects.filter(kind=NoticeKind.ACTIVATED).count() == 2
    settle()
    with nothing_written():
        said, status = run(verbosity=2)
    assert status == 0
    assert said.count("0 accounts") == 4


@pytest.mark.owner
def test_what_is_refused_is_listed_and_the_exit_status_says_so(accounts: dict[str, Account]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE FUNCTION poisoned() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            f"IF NEW.account_id = {accounts['scheduled'].pk} THEN RAISE EXCEPTION 'this account is poisoned'; END IF; "
            "RETURN NEW; END $$; "
            "CREATE TRIGGER poisoned BEFORE UPDATE ON onboarding_onboarding FOR EACH ROW EXECUTE FUNCTION poisoned()"
        )
    said, status = run()
    assert status == 1
    assert "1 account activated by their deadline." in said
    assert "1 account refused.\n  400001: this account is poisoned\n1 account refused." in said


@pytest.mark.owner
def test_a_system_member_who_is_switched_off_is_told_in_one_sentence(accounts: dict[str, Account]) -> None:
    User.objects.system_member()
    sql("UPDATE accounts_user SET is_active = false WHERE is_system")
    said, status = run()
    assert status == 1
    assert said.startswith("The member of the team that stands for the schedule can't activate: ")
    assert not Onboarding.objects.active().exists()
