"""What happens automatically: announcements, schedules and deadlines. The time is an argument."""

from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Account, Contact, Role, User
from core.outbox.models import EmailState, OutgoingEmail
from onboarding import actions
from onboarding.due import due_by_deadline
from onboarding.models import DeadlineRule, Notice, NoticeKind, Onboarding, Origin
from tests.conftest import INSTALLED
from tests.guarding import nothing_written, settle

# 60 days after March 5 is May 4, a Monday. The day after is Tuesday, and 5 business days before that is April 28.
DEADLINE = date(2026, 5, 4)
ACTIVE_ON = date(2026, 5, 5)
WARNED_ON = date(2026, 4, 28)
ZONE_OF_NIGHT = timedelta(hours=4)  # in summer, midnight in New York is 04:00 UTC


def at(day: date, hour: int = 0, minute: int = 0) -> datetime:
    """Return the instant of this local time in New York, in summer."""
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=UTC) + ZONE_OF_NIGHT


def may(day: int) -> date:
    return date(2026, 5, day)


@pytest.fixture(autouse=True)
def policy(settings: Any) -> Any:
    settings.ONBOARDING_DEADLINE_DAYS = 60
    settings.ONBOARDING_ACTIVATIONS_A_NIGHT = 100
    settings.ONBOARDING_BLACKOUT_DATES = frozenset()
    return settings


def run(now: datetime, **arguments: Any) -> dict[str, list[int]]:
    """Do what the hourly job does, and return the keys of the affected accounts by what happened to them."""
    total: dict[str, list[int]] = {"scheduled": [], "overdue": [], "announced": [], "refused": []}
    for name, verb in (("scheduled", actions.activate_scheduled), ("overdue", actions.activate_overdue)):
        for outcome in verb(now=now, **arguments):
            total[name] += outcome.activated
            total["refused"] += outcome.refused
    for changes in actions.announce(now=now, **arguments):
        total["announced"] += changes.changed
        total["refused"] += changes.refused
    return {name: sorted(keys) for name, keys in total.items() if keys}


def every_hour(first: datetime, last: datetime) -> Iterable[datetime]:
    while first <= last:
        yield first
        first += timedelta(hours=1)


def mode_of(account: Account) -> Onboarding:
    return Onboarding.objects.get(account=account)


def told(account: Account) -> list[tuple[str, str]]:
    """Return (kind, occasion) of the account's notices about what happens automatically, in order."""
    by_itself = (NoticeKind.SOON, NoticeKind.TOMORROW, NoticeKind.ACTIVATED)
    return list(
        Notice.objects.filter(account=account, kind__in=by_itself).order_by("pk").values_list("kind", "occasion")
    )


@pytest.fixture
def many(make_account: Callable[..., Account], owner: User) -> Callable[..., list[Account]]:
    def make(count: int, *, zone: str = "America/New_York", started: datetime = INSTALLED) -> list[Account]:
        first = 200000 + Account.objects.count()
        made = [make_account(str(first + n), owner=owner, timezone=zone) for n in range(count)]
        Onboarding.objects.bulk_create(Onboarding(account=account, started_at=started) for account in made)
        settle()
        return made

    return make


def test_the_life_of_an_account_that_nobody_touches(installed: Account) -> None:
    """Run every hour for ten days: two warnings and the activation, each once and at the right time."""
    happened: list[tuple[datetime, dict[str, list[int]]]] = []
    for now in every_hour(at(date(2026, 4, 27)), at(may(7))):
        if done := run(now):
            happened.append((now, done))
    key = installed.pk
    assert happened == [(at(WARNED_ON), {"announced": [key]}), (at(ACTIVE_ON), {"overdue": [key]})]
    mode = mode_of(installed)
    assert (mode.activated_at, mode.activated_from, mode.reason, mode.announced_for) == (
        at(ACTIVE_ON),
        Origin.SCHEDULE,
        "Deadline of May 4, 2026 has passed.",
        ACTIVE_ON,
    )
    assert mode.activated_by == User.objects.system_member()
    assert told(installed) == [("soon", "2026-05-05"), ("tomorrow", "2026-05-05"), ("activated", "activated")]
    created = dict(Notice.objects.filter(account=installed).values_list("kind", "email__created_at"))
    assert created["soon"] == at(WARNED_ON)
    assert created["tomorrow"] == at(DEADLINE)
    assert created["activated"] == at(ACTIVE_ON)
    data = Notice.objects.get(account=installed, kind=NoticeKind.SOON).data
    assert data == {"activates_on": "2026-05-05", "cause": "deadline"}
    said = mode.history.order_by("history_id").values_list("history_change_reason", "history_user__is_system")
    assert list(said)[1:] == [("Activation announced", True), ("Activated", True)]


def test_without_a_policy_nothing_happens(installed: Account, policy: Any) -> None:
    policy.ONBOARDING_DEADLINE_DAYS = 0
    User.objects.system_member()
    with nothing_written():
        assert run(at(date(2027, 1, 1))) == {}


def test_when_the_policy_is_switched_on_who_is_past_it_is_warned_first(installed: Account) -> None:
    wednesday = date(2026, 7, 8)
    assert run(at(wednesday, 12)) == {"announced": [installed.pk]}
    assert mode_of(installed).announced_for == date(2026, 7, 15)
    for now in every_hour(at(wednesday, 13), at(date(2026, 7, 14), 23)):
        assert run(now) == {}
    assert run(at(date(2026, 7, 15))) == {"overdue": [installed.pk]}
    assert told(installed) == [("soon", "2026-07-15"), ("tomorrow", "2026-07-15"), ("activated", "activated")]


def test_switched_off_again_what_was_announced_is_taken_back(installed: Account, policy: Any) -> None:
    run(at(WARNED_ON))
    policy.ONBOARDING_DEADLINE_DAYS = 0
    assert run(at(ACTIVE_ON)) == {"announced": [installed.pk]}
    assert mode_of(installed).announced_for is None
    assert run(at(may(6))) == {}
    policy.ONBOARDING_DEADLINE_DAYS = 90  # June 3
    assert run(at(date(2026, 5, 27))) == {}
    assert run(at(date(2026, 5, 28))) == {"announced": [installed.pk]}
    assert mode_of(installed).announced_for == date(2026, 6, 4)


def test_extended_between_the_warning_and_the_night_it_is_warned_anew(installed: Account, member: User) -> None:
    run(at(WARNED_ON))
    actions.set_deadline(installed, on=may(11), reason="Numbers are late", by=member, now=at(DEADLINE, 9))
    assert run(at(DEADLINE, 10)) == {}  # May 12 is announced on May 5
    assert run(at(ACTIVE_ON)) == {"announced": [installed.pk]}
    assert run(at(may(12))) == {"overdue": [installed.pk]}
    assert mode_of(installed).reason == "Deadline of May 11, 2026 has passed."
    assert told(installed)[0] == ("soon", "2026-05-05")
    assert ("soon", "2026-05-12") in told(installed)
    assert ("tomorrow", "2026-05-05") not in told(installed)  # it did not run on May 4 before the deadline was extended


def test_a_deadline_moved_nearer_still_gives_the_whole_notice(installed: Account, member: User) -> None:
    actions.set_deadline(installed, on=date(2026, 3, 16), reason="Soon", by=member, now=at(date(2026, 3, 16), 9))
    run(at(date(2026, 3, 16), 10))
    assert mode_of(installed).announced_for == date(2026, 3, 23)


def test_without_a_deadline_of_its_own_it_stays_in_onboarding(installed: Account, member: User) -> None:
    run(at(WARNED_ON))
    actions.remove_deadline(installed, reason="A big customer", by=member, now=at(DEADLINE))
    for now in every_hour(at(DEADLINE), at(may(7))):
        assert run(now) == {}
    assert not mode_of(installed).is_active


@pytest.mark.parametrize(("hour", "minute", "activated"), [(0, 0, True), (5, 59, True), (6, 0, False), (23, 59, False)])
def test_deadlines_activate_in_the_night_of_the_account_only(
    installed: Account, hour: int, minute: int, activated: bool
) -> None:
    run(at(WARNED_ON))
    assert run(at(DEADLINE, 23, 59)).get("overdue") is None
    assert bool(run(at(ACTIVE_ON, hour, minute)).get("overdue")) == activated


def test_each_zone_has_its_own_night(many: Callable[..., list[Account]]) -> None:
    """On both sides of the date line, activations at local midnight of the same day are 25 hours apart."""
    places = ("Pacific/Kiritimati", "Asia/Kathmandu", "Europe/Berlin", "America/New_York", "Pacific/Pago_Pago")
    zones = {zone: many(1, zone=zone, started=datetime(2026, 3, 5, 10, 30, tzinfo=UTC))[0] for zone in places}
    when: dict[str, datetime] = {}
    for now in every_hour(datetime(2026, 4, 27, tzinfo=UTC), datetime(2026, 5, 6, 12, tzinfo=UTC)):
        done = run(now).get("overdue", [])
        when |= {zone: now for zone, account in zones.items() if account.pk in done}
    assert when == {
        # It started when it was already March 6 there, so its deadline is May 5.
        "Pacific/Kiritimati": datetime(2026, 5, 5, 10, tzinfo=UTC),
        "Asia/Kathmandu": datetime(2026, 5, 4, 19, tzinfo=UTC),  # local midnight is 18:15 UTC; the next run is at 19:00
        "Europe/Berlin": datetime(2026, 5, 4, 22, tzinfo=UTC),
        "America/New_York": datetime(2026, 5, 5, 4, tzinfo=UTC),
        # It started when it was still March 4 there, so its deadline is May 3. The zone is 11 hours behind UTC.
        "Pacific/Pago_Pago": datetime(2026, 5, 4, 11, tzinfo=UTC),
    }


@pytest.mark.parametrize(
    ("zone", "night", "hours"),
    [
        ("America/New_York", date(2026, 3, 8), 5),  # 02:00 to 03:00 is skipped
        ("America/New_York", date(2026, 11, 1), 7),  # 01:00 to 02:00 happens twice
        ("America/Santiago", date(2026, 9, 6), 5),  # there is no midnight; the day begins at 01:00
        ("Africa/Cairo", date(2026, 4, 24), 5),
        ("Europe/Berlin", date(2026, 5, 5), 6),
    ],
)
def test_nights_in_which_clocks_change(many: Callable[..., list[Account]], zone: str, night: date, hours: int) -> None:
    [account] = many(1, zone=zone, started=datetime(2025, 1, 1, 12, tzinfo=UTC))
    Onboarding.objects.update(announced_for=night, deadline_rule="fixed", deadline_on=night - timedelta(days=1),
                              deadline_reason="Late")  # fmt: skip
    start = datetime(night.year, night.month, night.day, tzinfo=UTC) - timedelta(days=1)
    due = [now for now in every_hour(start, start + timedelta(days=3)) if due_by_deadline(now).exists()]
    of_night = [now for now in due if account.day_of(now) == night]
    assert len(of_night) == hours
    assert min(due) == min(of_night)


def test_no_deadline_activates_on_a_blackout_date(installed: Account, policy: Any) -> None:
    policy.ONBOARDING_BLACKOUT_DATES = frozenset({may(5), may(6)})
    for now in every_hour(at(date(2026, 4, 27)), at(may(6), 23)):
        assert "overdue" not in run(now)
    assert mode_of(installed).announced_for == may(7)  # this is the day that contacts were told
    assert run(at(may(7))) == {"overdue": [installed.pk]}


def test_a_blackout_date_that_is_added_later_holds_too(installed: Account, member: User, policy: Any) -> None:
    run(at(WARNED_ON))
    policy.ONBOARDING_BLACKOUT_DATES = frozenset({may(5)})
    assert run(at(may(5))) == {}
    assert run(at(may(6))) == {"overdue": [installed.pk]}


def test_a_missed_night_is_made_up_for_in_the_next(installed: Account) -> None:
    run(at(WARNED_ON))
    assert run(at(may(9), 7)) == {}
    assert run(at(may(10), 3)) == {"overdue": [installed.pk]}
    assert told(installed) == [("soon", "2026-05-05"), ("activated", "activated")]


def test_nobody_ran_it_for_weeks_and_all_are_warned_before_they_are_activated(installed: Account) -> None:
    assert run(at(date(2026, 8, 3))) == {"announced": [installed.pk]}
    assert mode_of(installed).announced_for == date(2026, 8, 10)


# The limit on activations


def test_no_more_than_so_many_in_24_hours_the_oldest_deadline_first(
    many: Callable[..., list[Account]], policy: Any
) -> None:
    policy.ONBOARDING_ACTIVATIONS_A_NIGHT = 2
    young = many(3)
    old = many(3, started=INSTALLED - timedelta(days=1))
    run(at(date(2026, 6, 1)))
    tuesday = date(2026, 6, 9)
    assert run(at(tuesday)) == {"overdue": sorted(a.pk for a in old[:2])}
    for hour in range(24):
        assert run(at(tuesday, hour)) == {}
    assert run(at(tuesday + timedelta(days=1)))["overdue"] == sorted([old[2].pk, young[0].pk])
    assert run(at(tuesday + timedelta(days=2)), chunk=1)["overdue"] == sorted(a.pk for a in young[1:])


def test_a_bound_of_nothing_is_nothing(installed: Account, policy: Any) -> None:
    policy.ONBOARDING_ACTIVATIONS_A_NIGHT = 0
    run(at(WARNED_ON))
    assert run(at(ACTIVE_ON)) == {}


def test_schedules_and_people_are_not_bound_and_do_not_count(
    many: Callable[..., list[Account]], member: User, policy: Any
) -> None:
    policy.ONBOARDING_ACTIVATIONS_A_NIGHT = 1
    accounts = many(4)
    run(at(WARNED_ON))
    for account in accounts[:2]:
        actions.schedule_activation(account, on=ACTIVE_ON, reason="Asked for", by=member, now=at(WARNED_ON, 9))
    actions.activate(accounts[2], by=member, reason="Ready", now=at(DEADLINE, 23))
    done = run(at(ACTIVE_ON))
    assert done == {"scheduled": sorted(a.pk for a in accounts[:2]), "overdue": [accounts[3].pk]}


# Schedules


def test_a_schedule_activates_from_the_first_moment_of_its_day(installed: Account, member: User) -> None:
    actions.schedule_activation(installed, on=may(20), reason="As agreed", by=member, now=at(date(2026, 3, 16), 9))
    happened = [(now, done) for now in every_hour(at(may(11)), at(may(21))) if (done := run(now))]
    assert happened == [(at(may(13)), {"announced": [installed.pk]}), (at(may(20)), {"scheduled": [installed.pk]})]
    mode = mode_of(installed)
    assert mode.reason == "Scheduled for May 20, 2026 by tom@example.com: As agreed"
    assert (mode.activated_by, mode.activated_from) == (User.objects.system_member(), Origin.SCHEDULE)
    assert told(installed) == [("soon", "2026-05-20"), ("tomorrow", "2026-05-20"), ("activated", "activated")]


@pytest.mark.parametrize("hour", [0, 12, 23])
def test_a_schedule_is_kept_whenever_a_worker_runs(installed: Account, member: User, hour: int) -> None:
    actions.schedule_activation(installed, on=may(1), reason="As agreed", by=member, now=at(may(1), 0))
    assert run(at(may(1), hour)) == {"scheduled": [installed.pk]}


def test_a_missed_schedule_is_kept_late_but_on_no_blackout_date(installed: Account, member: User, policy: Any) -> None:
    actions.schedule_activation(installed, on=may(1), reason="As agreed", by=member, now=at(date(2026, 4, 1)))
    policy.ONBOARDING_BLACKOUT_DATES = frozenset({may(1), may(2)})
    assert "scheduled" not in run(at(may(1), 12)) | run(at(may(2), 12))
    assert run(at(may(3), 12)) == {"scheduled": [installed.pk]}


def test_moved_and_cancelled_it_does_not_happen(installed: Account, member: User) -> None:
    actions.schedule_activation(installed, on=may(1), reason="As agreed", by=member, now=at(date(2026, 4, 29)))
    actions.schedule_activation(installed, on=may(3), reason="Later", by=member, now=at(date(2026, 4, 30)))
    assert "scheduled" not in run(at(may(1))) | run(at(may(2)))
    actions.cancel_schedule(installed, by=member, now=at(may(2), 23))
    # The deadline applies again, with the full notice period, so its original day, May 5, is too soon.
    assert run(at(may(3))) == {"announced": [installed.pk]}
    assert mode_of(installed).announced_for == may(8)
    assert run(at(may(8)))["overdue"] == [installed.pk]


def test_a_schedule_takes_the_place_of_the_deadline(installed: Account, member: User) -> None:
    run(at(WARNED_ON))
    actions.schedule_activation(installed, on=may(20), reason="As agreed", by=member, now=at(WARNED_ON, 9))
    assert mode_of(installed).announced_for is None
    for now in every_hour(at(ACTIVE_ON), at(may(12), 23)):
        assert run(now) == {}
    run(at(may(13)))
    assert mode_of(installed).announced_for == may(20)


def test_cancelled_and_set_anew_for_the_same_day_people_are_told_if_they_were_not_yet(
    installed: Account, member: User
) -> None:
    actions.schedule_activation(installed, on=ACTIVE_ON, reason="As agreed", by=member, now=at(may(1)))
    dropped = Notice.objects.get(kind=NoticeKind.SOON)
    drop = {"state": EmailState.DROPPED, "settled_at": at(may(1)), "error": "Cancelled"}
    OutgoingEmail.objects.filter(pk=dropped.pk).update(**drop)
    actions.cancel_schedule(installed, by=member, now=at(may(1), 1))
    actions.schedule_activation(installed, on=ACTIVE_ON, reason="After all", by=member, now=at(may(1), 2))
    again = Notice.objects.waiting().get(kind=NoticeKind.SOON)
    assert (again.pk != dropped.pk, again.email.due_at, again.email.error) == (True, at(may(1), 2), "")
    OutgoingEmail.objects.waiting().update(state=EmailState.SENT, settled_at=at(may(1), 3))
    actions.schedule_activation(installed, on=ACTIVE_ON, reason="Once more", by=member, now=at(may(1), 4))
    told = Notice.objects.filter(kind=NoticeKind.SOON).order_by("pk").values_list("email__state", flat=True)
    assert list(told) == [EmailState.DROPPED, EmailState.SENT]


# The whole run


def test_a_run_again_does_nothing(many: Callable[..., list[Account]], member: User) -> None:
    accounts = many(3)
    actions.schedule_activation(accounts[0], on=ACTIVE_ON, reason="As agreed", by=member, now=at(date(2026, 4, 1)))
    for now in (at(WARNED_ON), at(DEADLINE), at(ACTIVE_ON)):
        run(now)
        settle()
        with nothing_written():
            assert run(now) == {}


@pytest.mark.parametrize(("place", "bound"), [(0, 4), (2, 4), (0, 100), (2, 100), (4, 100)])
@pytest.mark.owner
def test_a_bad_account_never_stops_the_others(
    many: Callable[..., list[Account]], policy: Any, place: int, bound: int
) -> None:
    policy.ONBOARDING_ACTIVATIONS_A_NIGHT = bound
    accounts = many(5)
    run(at(WARNED_ON))
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE FUNCTION poisoned() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            f"IF NEW.account_id = {accounts[place].pk} THEN RAISE EXCEPTION 'this account is poisoned'; END IF; "
            "RETURN NEW; END $$; "
            "CREATE TRIGGER poisoned BEFORE UPDATE ON onboarding_onboarding FOR EACH ROW EXECUTE FUNCTION poisoned()"
        )
    done = run(at(ACTIVE_ON), chunk=3)
    others = sorted(a.pk for a in accounts if a != accounts[place])
    assert done == {"overdue": others, "refused": [accounts[place].pk]}


def test_the_system_member_can_be_switched_off(installed: Account) -> None:
    run(at(WARNED_ON))
    User.objects.filter(is_system=True).update(is_active=False)
    settle()
    with nothing_written(), pytest.raises(PermissionDenied):
        run(at(ACTIVE_ON))


def test_notices_of_a_run_go_to_all_who_care_and_to_each_once(
    many: Callable[..., list[Account]], owner: User, make_user: Callable[..., User]
) -> None:
    accounts = many(3)
    pays = make_user("pays@example.com")
    gone = make_user("gone@example.com", is_active=False)
    for account in accounts:
        Contact.objects.create(account=account, user=owner, role=Role.TECHNICAL)
        Contact.objects.create(account=account, user=pays, role=Role.BILLING)
        Contact.objects.create(account=account, user=gone, role=Role.OWNER)
    for now in (at(WARNED_ON), at(DEADLINE), at(ACTIVE_ON)):
        run(now)
    for account in accounts:
        for kind in (NoticeKind.SOON, NoticeKind.TOMORROW, NoticeKind.ACTIVATED):
            assert set(Notice.objects.filter(account=account, kind=kind).values_list("to", flat=True)) == {
                owner.pk,
                pays.pk,
            }


def test_queries_do_not_grow_with_the_accounts(many: Callable[..., list[Account]], policy: Any) -> None:
    User.objects.system_member()
    counts = []
    for count in (1, 8):
        accounts = many(count)
        for now in (at(WARNED_ON), at(DEADLINE), at(ACTIVE_ON)):
            with CaptureQueriesContext(connection) as queries:
                run(now)
            counts.append(len(queries))
        assert all(mode_of(account).is_active for account in accounts)
    assert counts[:3] == counts[3:]


def test_the_deadline_counts_where_the_policy_is_off(installed: Account, member: User, policy: Any) -> None:
    policy.ONBOARDING_DEADLINE_DAYS = 0
    actions.set_deadline(installed, on=DEADLINE, reason="As agreed", by=member, now=at(date(2026, 4, 1)))
    assert mode_of(installed).deadline_rule == DeadlineRule.FIXED
    run(at(WARNED_ON))
    assert run(at(ACTIVE_ON)) == {"overdue": [installed.pk]}
