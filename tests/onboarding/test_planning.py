"""The team's verbs on an account in onboarding: owner, notes, deadline, schedule, and the answer to a request (R23)."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Account, Contact, Refusal, Role, User
from core.refusals import AlreadyDone
from onboarding import actions
from onboarding.models import DeadlineRule, GoLiveRequest, Note, Notice, NoticeKind, Onboarding
from onboarding.plans import PlanChanges
from tests.conftest import INSTALLED, codes
from tests.guarding import nothing_written, settle

# It is still Monday, March 16 in New York, the account's time zone.
NOW = datetime(2026, 3, 17, 3, 30, tzinfo=UTC)
TODAY = date(2026, 3, 16)
MAY_4 = date(2026, 5, 4)

Verb = Callable[..., Any]
SET: dict[str, Any] = {"on": MAY_4, "reason": " Waits for its numbers. "}
VERBS: dict[str, dict[str, Any]] = {
    "assign_owner": {"owner": None},
    "write_note": {"text": "Called them."},
    "set_deadline": SET,
    "remove_deadline": {"reason": "A big customer."},
    "follow_policy": {},
    "schedule_activation": SET,
    "cancel_schedule": {},
    "answer_go_live": {"answer": "Gladly."},
}


def do(verb: str, account: Account, by: User, **arguments: Any) -> Any:
    return getattr(actions, verb)(account, by=by, now=NOW, **{**VERBS[verb], **arguments})


def refused(verb: str, account: Account, by: User, **arguments: Any) -> ValidationError:
    """Assert that the action is refused and records only the refusal, and return the refusal."""
    with nothing_written(but=(Refusal,)), pytest.raises(ValidationError) as refusal:
        do(verb, account, by, **arguments)
    assert not isinstance(refusal.value, AlreadyDone)
    assert set(Refusal.objects.values_list("action", flat=True)) == {verb}
    return refusal.value


def notices(kind: NoticeKind) -> list[tuple[str, str, dict[str, str]]]:
    """Return (recipient, occasion, data) of the notices of this kind."""
    found = Notice.objects.filter(kind=kind).order_by("pk")
    return [(notice.to.email, notice.occasion, notice.data) for notice in found.select_related("to", "email")]


@pytest.fixture
def mode(installed: Account) -> Onboarding:
    return Onboarding.objects.get(account=installed)


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("who", ["owner", "supporter", "biller", "gone", "system"])
def test_only_active_staff_of_the_team_may(
    request: pytest.FixtureRequest, installed: Account, make_user: Verb, verb: str, who: str
) -> None:
    if who == "gone":
        user = make_user("gone@example.com", is_staff=True, is_superuser=True, is_active=False)
    elif who == "system":
        user = User.objects.system_member()
    else:
        user = request.getfixturevalue(who)
    with nothing_written(but=(Refusal,)), pytest.raises(PermissionDenied):
        do(verb, installed, user)
    assert Refusal.objects.get().rule == "permission_denied"


def test_who_lost_the_permission_meanwhile_may_not(installed: Account, member: User) -> None:
    member.has_perm("onboarding.change_onboarding")  # this fills the permission cache of this object
    User.objects.get(pk=member.pk).groups.clear()
    with nothing_written(but=(Refusal,)), pytest.raises(PermissionDenied):
        do("set_deadline", installed, member)


@pytest.mark.parametrize("verb", VERBS)
def test_an_account_without_contact_center_has_nothing_to_plan(account: Account, member: User, verb: str) -> None:
    assert codes(refused(verb, account, member)) == {("__all__", "not_installed")}


@pytest.mark.parametrize("verb", sorted(VERBS.keys() - {"write_note", "answer_go_live"}))
def test_an_active_account_neither(active: Account, member: User, verb: str) -> None:
    assert codes(refused(verb, active, member)) == {("__all__", "already_active")}


@pytest.mark.parametrize(
    ("verb", "field"),
    [
        ("write_note", "text"),
        ("set_deadline", "reason"),
        ("remove_deadline", "reason"),
        ("schedule_activation", "reason"),
        ("answer_go_live", "answer"),
    ],
)
@pytest.mark.parametrize(("words", "code"), [(" \n ", "missing"), ("a\0b", "missing"), ("x" * 4001, "too_long")])
def test_words_are_required(
    installed: Account, owner: User, member: User, verb: str, field: str, words: str, code: str
) -> None:
    actions.request_go_live(installed, wanted_on=TODAY, by=owner, now=NOW)
    assert codes(refused(verb, installed, member, **{field: words})) == {(field, f"{field}_{code}")}


@pytest.mark.parametrize(
    ("verb", "code"), [("set_deadline", "deadline_date"), ("schedule_activation", "scheduled_date")]
)
@pytest.mark.parametrize("days", [-1, 366])
def test_a_day_that_has_passed_there_or_is_far_away_is_refused(
    installed: Account, member: User, verb: str, code: str, days: int
) -> None:
    refusal = refused(verb, installed, member, on=TODAY + timedelta(days=days))
    assert codes(refusal) == {("on", code)}
    assert refusal.messages == ["Choose a day from today, March 16, 2026, to a year from now."]
    assert Refusal.objects.get().tried == str(TODAY + timedelta(days=days))


@pytest.mark.parametrize("verb", ["set_deadline", "schedule_activation"])
@pytest.mark.parametrize("days", [0, 365])
def test_any_day_from_today_to_a_year_from_now_will_do(installed: Account, member: User, verb: str, days: int) -> None:
    do(verb, installed, member, on=TODAY + timedelta(days=days))


def test_the_owner_is_a_member_of_the_team(
    mode: Onboarding, installed: Account, member: User, supporter: User, make_user: Verb
) -> None:
    do("assign_owner", installed, member, owner=member)
    mode.refresh_from_db()
    assert mode.owner == member
    history = mode.history.latest("history_id")
    assert (history.owner, history.history_user, history.history_date) == (member, member, NOW)
    gone = make_user("gone@example.com", is_staff=True, is_superuser=True, is_active=False)
    for other in (supporter, gone, User.objects.system_member()):
        assert codes(refused("assign_owner", installed, member, owner=other)) == {("owner", "not_on_the_team")}
    with nothing_written(), pytest.raises(AlreadyDone, match="looks after account 100001 already"):
        do("assign_owner", installed, member, owner=member)
    do("assign_owner", installed, member, owner=None)
    mode.refresh_from_db()
    assert mode.owner is None
    assert not Notice.objects.exclude(kind=NoticeKind.INSTALLED).exists()


def test_a_note_is_kept_with_who_and_when(active: Account, member: User) -> None:
    note = do("write_note", active, member, text="  Asked for a training. ")
    assert list(Note.objects.values_list("account", "text", "written_by", "written_at")) == [
        (active.pk, "Asked for a training.", member.pk, NOW)
    ]
    assert note == Note.objects.get()


def test_a_deadline_of_its_own_and_back(mode: Onboarding, installed: Account, member: User, settings: Any) -> None:
    settings.ONBOARDING_DEADLINE_DAYS = 60
    do("set_deadline", installed, member)
    mode.refresh_from_db()
    assert (mode.deadline_rule, mode.deadline_on, mode.deadline_reason) == (
        DeadlineRule.FIXED,
        MAY_4,
        "Waits for its numbers.",
    )
    do("remove_deadline", installed, member)
    mode.refresh_from_db()
    assert (mode.deadline_rule, mode.deadline_on, mode.deadline_reason) == (DeadlineRule.NONE, None, "A big customer.")
    actions.follow_policy(installed, by=member, now=NOW + timedelta(seconds=1))
    mode.refresh_from_db()
    assert (mode.deadline_rule, mode.deadline_on, mode.deadline_reason) == (DeadlineRule.POLICY, None, "")
    with nothing_written(), pytest.raises(AlreadyDone):
        do("follow_policy", installed, member)
    settle()
    said = mode.history.order_by("history_id").values_list("history_change_reason", "history_user")
    assert list(said)[1:] == [
        ("Deadline set", member.pk),
        ("Deadline removed", member.pk),
        ("Follows the policy", member.pk),
    ]


def test_people_are_told_of_each_change_of_the_deadline(installed: Account, member: User, settings: Any) -> None:
    settings.ONBOARDING_DEADLINE_DAYS = 60
    later = NOW + timedelta(seconds=1)
    actions.set_deadline(installed, on=date(2026, 6, 1), reason="Waits for its numbers.", by=member, now=NOW)
    actions.remove_deadline(installed, reason="A big customer.", by=member, now=later)
    actions.follow_policy(installed, by=member, now=later + timedelta(seconds=1))
    assert [data for _, _, data in notices(NoticeKind.EXTENDED)] == [
        {"deadline": "2026-06-01", "reason": "Waits for its numbers."},
        {"deadline": "", "reason": "A big customer."},
        {"deadline": "2026-05-04", "reason": ""},  # 60 days after March 5
    ]


def test_nobody_is_told_of_a_deadline_that_is_what_it_was(
    mode: Onboarding, installed: Account, member: User, settings: Any
) -> None:
    settings.ONBOARDING_DEADLINE_DAYS = 60
    same = date(2026, 5, 4)  # the deadline by the policy
    actions.set_deadline(installed, on=same, reason="Agreed.", by=member, now=NOW)
    list(actions.set_deadline_many([installed.pk], on=same, reason="Agreed again.", by=member, now=NOW))
    settings.ONBOARDING_DEADLINE_DAYS = 0
    actions.remove_deadline(installed, reason="A big customer.", by=member, now=NOW)
    actions.follow_policy(installed, by=member, now=NOW)
    assert [data["deadline"] for _, _, data in notices(NoticeKind.EXTENDED)] == [""]
    assert mode.history.filter(history_change_reason="Deadline set").count() == 2


@pytest.mark.parametrize("days", [0, 60])
def test_a_changed_deadline_takes_back_what_was_announced(
    mode: Onboarding, installed: Account, member: User, days: int
) -> None:
    Onboarding.objects.filter(pk=mode.pk).update(announced_for=MAY_4)
    do("set_deadline", installed, member, on=MAY_4 + timedelta(days=days))
    mode.refresh_from_db()
    assert mode.announced_for is None


def test_a_schedule_is_set_moved_and_cancelled(mode: Onboarding, installed: Account, member: User) -> None:
    do("schedule_activation", installed, member)
    do("schedule_activation", installed, member, on=date(2026, 5, 11), reason="A week later")
    mode.refresh_from_db()
    assert (mode.scheduled_on, mode.scheduled_by, mode.schedule_reason, mode.announced_for) == (
        date(2026, 5, 11),
        member,
        "A week later",
        None,
    )
    do("cancel_schedule", installed, member)
    mode.refresh_from_db()
    assert (mode.scheduled_on, mode.scheduled_by, mode.schedule_reason) == (None, None, "")
    assert codes(refused("cancel_schedule", installed, member)) == {("__all__", "no_schedule")}
    said = mode.history.order_by("history_id").values_list("history_change_reason", flat=True)
    assert list(said)[1:] == ["Activation scheduled", "Activation scheduled", "Schedule cancelled"]


@pytest.mark.parametrize(
    ("days", "kind"),
    [
        (0, NoticeKind.SOON),
        (1, NoticeKind.TOMORROW),
        (2, NoticeKind.SOON),
        (7, NoticeKind.SOON),  # Monday to Monday: 5 business days
        (8, None),
    ],
)
def test_a_schedule_that_is_near_is_announced_at_once(
    mode: Onboarding, installed: Account, member: User, days: int, kind: NoticeKind | None
) -> None:
    day = TODAY + timedelta(days=days)
    do("schedule_activation", installed, member, on=day)
    mode.refresh_from_db()
    assert mode.announced_for == (day if kind else None)
    for told in (NoticeKind.SOON, NoticeKind.TOMORROW):
        expected = [("olivia@example.com", day.isoformat(), {"activates_on": day.isoformat(), "cause": "schedule"})]
        assert notices(told) == (expected if told == kind else [])


def test_nothing_is_scheduled_for_a_blackout_date(installed: Account, member: User, settings: Any) -> None:
    settings.ONBOARDING_BLACKOUT_DATES = frozenset({MAY_4})
    refusal = refused("schedule_activation", installed, member)
    assert codes(refusal) == {("on", "blackout_date")}
    assert refusal.messages == ["No account is activated on May 4, 2026: it is a blackout date. Choose another day."]
    do("set_deadline", installed, member)  # a deadline may be on a blackout date, because the activation is later


def test_a_schedule_stays_announced_where_the_deadline_changes(
    mode: Onboarding, installed: Account, member: User
) -> None:
    do("schedule_activation", installed, member, on=TODAY + timedelta(days=2))
    do("set_deadline", installed, member)
    mode.refresh_from_db()
    assert mode.announced_for == TODAY + timedelta(days=2)


def test_an_answer_is_given_once_and_the_customer_may_ask_anew(installed: Account, owner: User, member: User) -> None:
    asked = actions.request_go_live(installed, wanted_on=TODAY, note="Soon?", by=owner, now=NOW)
    assert do("answer_go_live", installed, member, answer=" Next week. ") == asked
    asked.refresh_from_db()
    assert (asked.answer, asked.answered_by, asked.answered_at) == ("Next week.", member, NOW)
    history = asked.history.latest("history_id")
    assert (history.history_user, history.answer) == (member, "Next week.")
    assert codes(refused("answer_go_live", installed, member)) == {("__all__", "no_request")}
    again = actions.request_go_live(installed, wanted_on=TODAY, by=owner, now=NOW)
    assert GoLiveRequest.objects.open().get() == again
    data = {"wanted_on": "2026-03-16", "note": "Soon?", "requested_by": "Olivia Owner"}
    assert notices(NoticeKind.REQUESTED)[0] == ("olivia@example.com", f"request {asked.pk}", data)
    assert notices(NoticeKind.ANSWERED) == [
        ("olivia@example.com", f"request {asked.pk}", {"answer": "Next week.", "wanted_on": "2026-03-16"})
    ]


def test_a_withdrawn_request_and_one_that_the_activation_answered_are_not_answered(
    installed: Account, owner: User, member: User
) -> None:
    actions.request_go_live(installed, wanted_on=TODAY, by=owner, now=NOW)
    actions.withdraw_go_live(installed, by=owner, now=NOW)
    assert codes(refused("answer_go_live", installed, member)) == {("__all__", "no_request")}
    actions.request_go_live(installed, wanted_on=TODAY, by=owner, now=NOW)
    actions.activate(installed, by=member, reason="Asked for", now=NOW)
    assert codes(refused("answer_go_live", installed, member)) == {("__all__", "no_request")}


def test_notices_go_to_those_who_care_and_are_undone_with_what_they_tell_of(
    installed: Account, make_user: Verb, member: User
) -> None:
    for name, role in (("tech", Role.TECHNICAL), ("pays", Role.BILLING), ("looks", Role.VIEWER)):
        Contact.objects.create(account=installed, user=make_user(f"{name}@example.com"), role=role)
    do("set_deadline", installed, member)
    assert {to for to, _, _ in notices(NoticeKind.EXTENDED)} == {"olivia@example.com", "tech@example.com"}
    actions.activate(installed, by=member, reason="Ready", now=NOW)
    told = {"olivia@example.com", "tech@example.com", "pays@example.com"}
    assert {to for to, _, _ in notices(NoticeKind.ACTIVATED)} == told
    assert notices(NoticeKind.INSTALLED) == [
        ("olivia@example.com", "installed", {"edition": "Contact Center Pro"}),
    ]


# Actions on many accounts


@pytest.fixture
def keys(make_account: Verb, owner: User) -> list[int]:
    """The keys of six accounts in onboarding, in order. For three of them, it is already March 17."""
    zones = ["America/New_York", "Europe/Berlin"] * 3
    made = [make_account(f"2000{n:02}", owner=owner, timezone=zone) for n, zone in enumerate(zones)]
    for account in made:
        Onboarding.objects.create(account=account, started_at=INSTALLED)
    settle()
    return sorted(account.pk for account in made)


def many(verb: str, keys: list[int], by: User, **arguments: Any) -> PlanChanges:
    """Call the action for all of them in chunks of four, and return the outcomes of all chunks as one."""
    total = PlanChanges()
    values = {**VERBS[verb.removesuffix("_many")], **arguments}
    for outcome in getattr(actions, verb)(keys, by=by, now=NOW, chunk=4, **values):
        total.changed += outcome.changed
        total.refused |= outcome.refused
    return total


MANY = ["assign_owner_many", "set_deadline_many", "schedule_activation_many"]


@pytest.mark.parametrize("verb", MANY)
def test_one_and_many_leave_the_same(keys: list[int], member: User, verb: str) -> None:
    one, other = Account.objects.get(pk=keys[0]), keys[2]
    arguments = {"owner": member} if verb == "assign_owner_many" else {"on": TODAY + timedelta(days=2)}
    do(verb.removesuffix("_many"), one, member, **arguments)
    assert many(verb, [other], member, **arguments) == PlanChanges([other], {})
    rows = list(Onboarding.objects.filter(account__in=[one.pk, other]).order_by("account").values())
    past = [dict(Onboarding.history.filter(account=key).values().latest("history_id")) for key in (one.pk, other)]
    for row in (*rows, *past):
        for name in ("id", "account_id", "history_id"):
            row.pop(name, None)
    assert rows[0] == rows[1]
    assert past[0] == past[1]
    fields = ("kind", "to", "occasion", "email__data")
    told = [list(Notice.objects.filter(account=key).values(*fields)) for key in (one.pk, other)]
    assert told[0] == told[1]
    assert bool(told[0]) == (verb != "assign_owner_many")
    settle()
    assert Onboarding.history.filter(account__in=[one.pk, other], history_type="~").count() == 2


def test_those_refused_are_set_aside_with_the_reason_and_the_others_go_on(
    keys: list[int], account: Account, member: User
) -> None:
    actions.activate(Account.objects.get(pk=keys[3]), by=member, reason="Ready", now=NOW - timedelta(days=1))
    outcome = many("set_deadline_many", [*keys, account.pk, 2**40, 2**70], member, on=TODAY)
    # In Berlin, the day has already passed.
    assert sorted(outcome.changed) == [keys[0], keys[2], keys[4]]
    assert outcome.refused == {
        keys[1]: "Choose a day from today, March 17, 2026, to a year from now.",
        keys[3]: "Account 200003 is already active since March 16, 2026 at 04:30 CET.",
        keys[5]: "Choose a day from today, March 17, 2026, to a year from now.",
        account.pk: "Contact Center is not installed on account 100001.",
        2**40: f"Contact Center is not installed on account {2**40}.",
        2**70: f"Contact Center is not installed on account {2**70}.",
    }
    left = Refusal.objects.order_by("account").values_list("account", "action", "rule", "by")
    assert set(left) == {
        (keys[1], "set_deadline", "deadline_date", member.pk),
        (keys[5], "set_deadline", "deadline_date", member.pk),
        (account.pk, "set_deadline", "not_installed", member.pk),
    }
    assert set(Onboarding.objects.exclude(deadline_on=None).values_list("account", flat=True)) == set(outcome.changed)


@pytest.mark.parametrize("place", [0, 2, 5])
@pytest.mark.owner
def test_a_poisoned_account_never_stops_the_others(keys: list[int], member: User, place: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE FUNCTION poisoned() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            f"IF NEW.account_id = {keys[place]} THEN RAISE EXCEPTION 'this account is poisoned'; END IF; "
            "RETURN NEW; END $$; "
            "CREATE TRIGGER poisoned BEFORE UPDATE ON onboarding_onboarding FOR EACH ROW EXECUTE FUNCTION poisoned()"
        )
    outcome = many("schedule_activation_many", keys, member)
    assert sorted(outcome.changed) == [key for key in keys if key != keys[place]]
    assert outcome.refused == {keys[place]: "this account is poisoned"}
    assert Onboarding.objects.filter(scheduled_on=MAY_4).count() == 5


@pytest.mark.parametrize("verb", MANY)
def test_queries_of_many_do_not_grow_with_the_accounts(keys: list[int], member: User, verb: str) -> None:
    run = getattr(actions, verb)
    arguments = {**VERBS[verb.removesuffix("_many")], **({"owner": member} if "owner" in verb else {})}
    with CaptureQueriesContext(connection) as for_one:
        list(run(keys[:1], by=member, now=NOW, **arguments))
    with CaptureQueriesContext(connection) as for_five:
        list(run(keys[1:], by=member, now=NOW, **arguments))
    assert len(for_five) == len(for_one)


@pytest.mark.parametrize("verb", MANY)
@pytest.mark.parametrize("who", ["owner", "supporter", "biller"])
def test_nobody_else_plans_for_many(
    request: pytest.FixtureRequest, keys: list[int], member: User, verb: str, who: str
) -> None:
    user = request.getfixturevalue(who)
    with nothing_written(), pytest.raises(PermissionDenied):
        many(verb, keys, user)
    with nothing_written():
        assert many(verb, [], member) == PlanChanges()


def test_an_owner_who_is_not_on_the_team_is_refused_before_the_first_chunk(
    keys: list[int], member: User, supporter: User
) -> None:
    with nothing_written(), pytest.raises(ValidationError):
        many("assign_owner_many", keys, member, owner=supporter)


def test_the_schedule_needs_the_permission_to_activate(installed: Account, make_user: Verb, member: User) -> None:
    planner = make_user("paul@example.com", is_staff=True)
    planner.user_permissions.add(*member.groups.get().permissions.filter(codename="change_onboarding"))
    do("set_deadline", installed, planner)
    with nothing_written(but=(Refusal,)), pytest.raises(PermissionDenied):
        do("schedule_activation", installed, planner)
