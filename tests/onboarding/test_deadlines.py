"""Deadlines, business days and announcements: pure functions, and the same deadline in SQL."""

import zoneinfo
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import Account
from accounts.zones import today_in, zones_at
from onboarding.deadlines import (
    business_days_after,
    business_days_before,
    deadline_of,
    first_free_day,
    is_business_day,
    still_announced,
    to_announce,
    warning_day,
)
from onboarding.models import DeadlineRule, Onboarding
from onboarding.models.mode import TIMEZONE
from tests.guarding import settle

DAY = timedelta(days=1)
NONE: frozenset[date] = frozenset()
days = st.dates(date(2024, 1, 1), date(2030, 12, 31))
counts = st.integers(0, 30)
blackouts = st.frozensets(st.dates(date(2026, 4, 20), date(2026, 6, 10)), max_size=20)


def may(day: int) -> date:
    return date(2026, 5, day)


@pytest.mark.parametrize(
    ("day", "after"),
    [(1, 8), (2, 8), (3, 8), (4, 11), (5, 12), (6, 13), (7, 14), (8, 15)],  # May 1, 2026 is a Friday
)
def test_five_business_days_after(day: int, after: int) -> None:
    assert business_days_after(may(day), 5) == may(after)


@pytest.mark.parametrize(("day", "before"), [(8, 1), (9, 1), (10, 1), (11, 4), (12, 5), (15, 8)])
def test_five_business_days_before(day: int, before: int) -> None:
    assert business_days_before(may(day), 5) == warning_day(may(day)) == may(before)


@given(days, counts)
def test_business_days_after_are_counted_one_by_one(day: date, count: int) -> None:
    counted, left = day, count
    while left:
        counted += DAY
        left -= is_business_day(counted)
    if count or is_business_day(day):
        assert business_days_after(day, count) == counted


@given(days, counts)
def test_business_days_before_are_counted_one_by_one(day: date, count: int) -> None:
    counted, left = day, count
    while not is_business_day(counted):
        counted -= DAY
    while left:
        counted -= DAY
        left -= is_business_day(counted)
    assert business_days_before(day, count) == counted


@given(days)
def test_who_is_warned_on_the_warning_day_has_the_whole_notice_and_a_day_later_not(day: date) -> None:
    assert business_days_after(warning_day(day), 5) <= day
    later = next(warning_day(day) + n * DAY for n in range(1, 4) if is_business_day(warning_day(day) + n * DAY))
    assert business_days_after(later, 5) > day


@given(st.dates(date(2026, 4, 1), date(2026, 5, 20)), st.dates(date(2026, 4, 1), date(2026, 5, 20)), blackouts)
def test_what_a_deadline_announces(deadline: date, today: date, blackout: frozenset[date]) -> None:
    day = to_announce(scheduled_on=None, deadline=deadline, today=today, blackout=blackout)
    if day is None:
        assert today < warning_day(first_free_day(deadline + DAY, blackout))
        return
    assert day > deadline
    assert day >= business_days_after(today, 5)
    assert day not in blackout
    earliest = max(deadline + DAY, business_days_after(today, 5))
    assert all(earliest + n * DAY in blackout for n in range((day - earliest).days))
    assert still_announced(day, scheduled_on=None, deadline=deadline)


@given(st.dates(date(2026, 4, 1), date(2026, 5, 20)), blackouts)
def test_looked_at_every_day_a_deadline_is_announced_for_the_day_after_it(
    deadline: date, blackout: frozenset[date]
) -> None:
    """Weekends and blackout dates in between don't shorten the notice."""
    day, today = None, date(2026, 3, 1)
    while day is None:
        day = to_announce(scheduled_on=None, deadline=deadline, today=today, blackout=blackout)
        today += DAY
    assert day == first_free_day(deadline + DAY, blackout)


def test_who_is_past_his_deadline_when_the_policy_begins_gets_the_whole_notice() -> None:
    today = may(6)
    for deadline in (date(2025, 1, 1), may(5), may(6), may(12)):
        assert to_announce(scheduled_on=None, deadline=deadline, today=today, blackout=NONE) == may(13)
    assert to_announce(scheduled_on=None, deadline=may(13), today=today, blackout=NONE) is None


@pytest.mark.parametrize(("today", "day"), [(may(6), None), (may(7), may(14)), (may(13), may(14)), (may(20), may(14))])
def test_a_schedule_is_announced_five_business_days_before_and_takes_the_place_of_the_deadline(
    today: date, day: date | None
) -> None:
    assert to_announce(scheduled_on=may(14), deadline=may(1), today=today, blackout=NONE) == day


def test_what_was_announced_holds_as_long_as_the_plan_says_so() -> None:
    assert still_announced(may(5), scheduled_on=None, deadline=may(4))
    assert still_announced(may(5), scheduled_on=None, deadline=may(1))
    assert not still_announced(may(5), scheduled_on=None, deadline=may(5))
    assert not still_announced(may(5), scheduled_on=None, deadline=None)
    assert still_announced(may(5), scheduled_on=may(5), deadline=may(20))
    assert not still_announced(may(5), scheduled_on=may(6), deadline=may(4))


# The same deadlines in SQL

ZONES = [
    *("Pacific/Kiritimati", "Pacific/Apia", "Pacific/Auckland", "Asia/Kathmandu", "Europe/Berlin", "UTC"),
    *("America/St_Johns", "America/New_York", "America/Los_Angeles", "Pacific/Pago_Pago"),
    *("America/Santiago", "Africa/Cairo"),  # zones in which clocks change at midnight
]
MOMENTS = [
    datetime(2026, month, day, hour, minute, tzinfo=UTC)
    for month, day in ((1, 1), (2, 28), (3, 8), (3, 29), (4, 5), (4, 24), (9, 6), (10, 29), (11, 1), (12, 31))
    for hour, minute in ((0, 0), (3, 59), (4, 0), (9, 30), (10, 0), (11, 59), (12, 0), (23, 59))
]


@pytest.fixture
def everywhere(db: None) -> dict[str, Account]:
    made = Account.objects.bulk_create(
        Account(number=f"3{n:05}", company=zone, timezone=zone) for n, zone in enumerate(ZONES)
    )
    return {account.timezone: account for account in made}


@pytest.mark.parametrize("days", [0, 1, 60])
def test_python_and_sql_agree_on_the_deadline_in_every_zone(db: None, days: int) -> None:
    places = [(zone, moment) for zone in ZONES for moment in MOMENTS]
    accounts = Account.objects.bulk_create(
        Account(number=f"{500000 + n}", company="Somewhere", timezone=zone) for n, (zone, _) in enumerate(places)
    )
    rules: list[dict[str, object]] = [
        {},
        {"deadline_rule": DeadlineRule.FIXED.value, "deadline_on": may(4), "deadline_reason": "Late"},
        {"deadline_rule": DeadlineRule.NONE.value, "deadline_reason": "Big"},
    ]
    Onboarding.objects.bulk_create(
        Onboarding(account=account, started_at=moment, **rules[n % 7 if n % 7 < 3 else 0])
        for n, (account, (_, moment)) in enumerate(zip(accounts, places, strict=True))
    )
    rows = list(Onboarding.objects.with_deadline(days).select_related("account"))
    assert len(rows) == len(places)
    for row in rows:
        assert row.deadline == deadline_of(row, days), (row.account.timezone, row.started_at)  # type: ignore[attr-defined]
    if days:
        assert {row.deadline - row.started_at.date() for row in rows if row.deadline_rule == "policy"} == {  # type: ignore[attr-defined]
            timedelta(days=days + more) for more in (-1, 0, 1)
        }


def test_python_and_sql_agree_on_the_local_day_and_hour(everywhere: dict[str, Account]) -> None:
    for account in everywhere.values():
        Onboarding.objects.create(account=account, started_at=datetime(2025, 1, 1, tzinfo=UTC))
    settle()
    for moment in MOMENTS:
        rows = Onboarding.objects.annotate(day=today_in(TIMEZONE, moment))
        at_night = zones_at(moment, until_hour=6)
        for zone, day in rows.values_list("account__timezone", "day"):
            local = moment.astimezone(zoneinfo.ZoneInfo(zone))
            assert (day, zone in at_night) == (local.date(), local.hour < 6), (zone, moment)


def test_due_and_overdue_go_by_the_day_that_it_is_there(everywhere: dict[str, Account]) -> None:
    fixed = {"deadline_rule": DeadlineRule.FIXED.value, "deadline_on": may(4), "deadline_reason": "Late"}
    for account in everywhere.values():
        Onboarding.objects.create(account=account, started_at=datetime(2026, 4, 1, tzinfo=UTC), **fixed)
    # At 10:30 UTC on May 4, it is already May 5 in Kiritimati, but in none of the other zones.
    overdue = Onboarding.objects.overdue(datetime(2026, 5, 4, 10, 30, tzinfo=UTC), days=0)
    assert list(overdue.values_list("account__timezone", flat=True)) == ["Pacific/Kiritimati"]
    assert Onboarding.objects.overdue(datetime(2026, 5, 5, 12, tzinfo=UTC), days=0).count() == len(ZONES)
    assert Onboarding.objects.overdue(datetime(2026, 5, 5, 10, 59, tzinfo=UTC), days=0).count() == len(ZONES) - 1
    assert Onboarding.objects.due(may(3), days=60).count() == 0
    assert Onboarding.objects.due(may(4), days=60).count() == len(ZONES)


def test_accounts_without_a_deadline_are_never_due(installed: Account) -> None:
    far = datetime(2036, 1, 1, tzinfo=UTC)
    assert not Onboarding.objects.overdue(far, days=0).exists()
    assert Onboarding.objects.overdue(far, days=60).exists()
    Onboarding.objects.update(deadline_rule=DeadlineRule.NONE.value, deadline_reason="Big")
    assert not Onboarding.objects.overdue(far, days=60).exists()
    assert not Onboarding.objects.due(far.date(), days=60).exists()
