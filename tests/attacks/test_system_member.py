"""I5, I26: in the name of the system member, only a day that was scheduled or announced activates an account."""

from datetime import date, datetime

import pytest

from accounts.models import Account, User
from tests.guarding import refused_by, sql

GUARD = "onboarding_activated_by_the_team"
DAY = date(2026, 3, 20)


def activate(installed: Account, day: date = DAY) -> None:
    sql(
        "UPDATE onboarding_onboarding SET activated_at = %s, activated_on = %s, activated_by_id = %s, "
        "activated_from = 'schedule', reason = 'Deadline' WHERE account_id = %s",
        datetime.fromisoformat(f"{day}T12:00:00-04:00"),
        day,
        User.objects.system_member().pk,
        installed.pk,
    )


def plan(**days: date) -> None:
    sql(f"UPDATE onboarding_onboarding SET {', '.join(f'{name} = %s' for name in days)}", *days.values())


def test_neither_scheduled_nor_announced(installed: Account) -> None:
    with refused_by(GUARD):
        activate(installed)


@pytest.mark.parametrize("day", [date(2026, 3, 21), date(2027, 1, 1)])
def test_announced_for_a_later_day(installed: Account, day: date) -> None:
    plan(announced_for=day)
    with refused_by(GUARD):
        activate(installed)


def test_announced_in_the_same_statement(installed: Account) -> None:
    with refused_by(GUARD):
        sql(
            "UPDATE onboarding_onboarding SET announced_for = %s, activated_at = '2026-03-20T12:00:00-04:00', "
            "activated_on = %s, activated_by_id = %s, activated_from = 'schedule', reason = 'Deadline'",
            DAY,
            DAY,
            User.objects.system_member().pk,
        )


@pytest.mark.parametrize("day", [DAY, date(2026, 3, 19)])
def test_announced_for_the_day_or_an_earlier_one(installed: Account, day: date) -> None:
    plan(announced_for=day)
    activate(installed)
    assert sql("SELECT activated_on FROM onboarding_onboarding") == [(DAY,)]
