"""The events of an account: one list of history, refusals and other records (R19)."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.apps import apps
from django.core.exceptions import ValidationError
from django.test.utils import CaptureQueriesContext
from django.utils import translation

from accounts.actions import add_service_user
from accounts.events import Cursor, Event, EventKind, Wanted, event_page, events_of, people_of, recent_events
from accounts.events import reading as reading_of_events
from accounts.events.registry import all_sources
from accounts.events.sources import HistorySource
from accounts.models import Account, Contact, PhoneNumber, Refusal, Role, ServiceUser, User
from core.history import attributed
from onboarding.actions import activate, request_go_live, withdraw_go_live
from onboarding.models import DeadlineRule, Onboarding, Origin
from onboarding.rules import SEAT_LIMIT
from subscriptions.actions import assign_number, assign_users, correct_assignment, unassign_number
from subscriptions.actions import change_subscription as change
from subscriptions.catalogue import contact_center_of, held_by
from subscriptions.models import ContactCenter
from tests.conftest import INSTALLED
from tests.guarding import settle

NOON = INSTALLED + timedelta(days=1)


def told(event: Event) -> tuple[Any, ...]:
    """Return the parts of an event that readers see."""
    return (event.who, event.action, event.item, [(c.label, c.before, c.after) for c in event.changes], event.note)


def of_kind(account: Account, kind: EventKind) -> list[tuple[Any, ...]]:
    """Return the events of a kind, oldest first."""
    return [told(event) for event in reversed(list(events_of(account, Wanted(kind=kind))))]


def buy(account: Account, by: User, now: datetime, **wanted: Any) -> None:
    change(account, replace(held_by(contact_center_of(account)), **wanted), by=by, now=now)


def test_an_install_and_purchases_are_told_item_by_item(installed: Account, owner: User) -> None:
    switched = frozenset({"channel-voice", "channel-chat", "addon-crm"})
    buy(installed, owner, NOON, seats=2, storage="storage-100", channels=switched - {"addon-crm"})
    later = NOON + timedelta(days=1)
    buy(installed, owner, later, seats=1, channels=frozenset({"channel-chat"}), addons=frozenset({"addon-crm"}))
    assert of_kind(installed, EventKind.SUBSCRIPTION) == [
        (
            "Olivia Owner",
            "Contact Center installed",
            "Contact Center Pro",
            [
                ("Seats", "", "0"),
                ("Recording storage", "", "5 GB"),
                ("Toll-free package", "", "Pay-per-use"),
                ("Voice", "off", "on"),
            ],
            "",
        ),
        (
            "Olivia Owner",
            "Subscription changed",
            "Contact Center Pro",
            [("Seats", "0", "2"), ("Recording storage", "5 GB", "100 GB"), ("Chat", "off", "on")],
            "",
        ),
        (
            "Olivia Owner",
            "Subscription changed",
            "Contact Center Pro",
            [("Seats", "2", "1"), ("CRM Integration", "off", "on"), ("Voice", "on", "off")],
            "",
        ),
    ]


def test_what_is_switched_off_and_on_again_on_a_day_is_told_both_times(installed: Account, owner: User) -> None:
    for hour, channels in enumerate([frozenset[str](), frozenset({"channel-voice"})], start=1):
        buy(installed, owner, NOON + timedelta(hours=hour), channels=channels)
    switched = [event[3] for event in of_kind(installed, EventKind.SUBSCRIPTION)[1:]]
    assert switched == [[("Voice", "on", "off")], [("Voice", "off", "on")]]


def test_what_was_refused_is_told_in_short_words(installed: Account, owner: User) -> None:
    for wanted in ({"seats": SEAT_LIMIT + 1}, {"package": "tf-500"}, {"storage": "storage-9"}):
        with pytest.raises(ValidationError):
            buy(installed, owner, NOON, **wanted)
    assert of_kind(installed, EventKind.REFUSED) == [
        (
            "Olivia Owner",
            "Change the subscription",
            "Seats",
            [],
            f"tried {SEAT_LIMIT + 1} seats; {SEAT_LIMIT} is the limit in onboarding",
        ),
        (
            "Olivia Owner",
            "Change the subscription",
            "Package",
            [],
            "tried 500 minutes; Pay-per-use is fixed in onboarding",
        ),
        (
            "Olivia Owner",
            "Change the subscription",
            "Storage",
            [],
            "“storage-9” is not sold as a recording storage. Choose one from the list.",
        ),
    ]


def test_a_refusal_that_has_no_short_words_says_what_was_tried(account: Account, owner: User) -> None:
    common = {"account": account, "by": owner, "action": "some_new_verb", "field": "wanted_on"}
    Refusal.objects.create(**common, tried="{tried} 7", rule="no_such_rule", message="{Not} so.")
    assert of_kind(account, EventKind.REFUSED) == [
        ("Olivia Owner", "Another action", "Wanted on", [], "tried {tried} 7: {Not} so.")
    ]


def test_people_are_told_with_what_changed(installed: Account, owner: User) -> None:
    ann = add_service_user(installed, name="Ann", email="ann@example.com", by=owner)
    for role in ("agent", "team_leader", ""):
        assign_users(installed, {ann.pk: role}, by=owner)
    ann.refresh_from_db()
    ann.name = "Ann Agent"
    attributed(ann, to=owner).save()
    attributed(ann, to=owner).save()  # a history row without a change
    who, item = "Olivia Owner", "Ann"
    assert of_kind(installed, EventKind.USERS) == [
        (who, "Person added", item, [("E-mail", "", "ann@example.com")], ""),
        (who, "Contact Center assigned", item, [("Contact Center", "not assigned", "Agent")], ""),
        (who, "Role changed", item, [("Contact Center", "Agent", "Team Leader")], ""),
        (who, "Contact Center taken", item, [("Contact Center", "Team Leader", "not assigned")], ""),
        (who, "Person changed", "Ann Agent", [("Name", "Ann", "Ann Agent")], ""),
    ]


def test_numbers_are_told_in_national_form(installed: Account, owner: User, member: User) -> None:
    number = PhoneNumber(account=installed, number="+18005550100")
    attributed(number, to=member, at=NOON).save()
    assign_number(installed, number, by=owner, now=NOON + timedelta(hours=1))
    unassign_number(installed, number, by=owner, now=NOON + timedelta(hours=2))
    start = NOON + timedelta(hours=3)
    correct_assignment(installed, number, start, start + timedelta(hours=1), by=member, reason="Ticket 12: secret")
    item = "(800) 555-0100"
    assert of_kind(installed, EventKind.NUMBERS) == [
        ("Onboarding team", "Number added", item, [], ""),
        ("Olivia Owner", "Number assigned", item, [], ""),
        ("Olivia Owner", "Number unassigned", item, [], ""),
        ("Onboarding team", "Number assigned", item, [], ""),
        ("Onboarding team", "Number unassigned", item, [], ""),
        ("Onboarding team", "Assignment corrected", item, [], "Assigned from 2026-03-06 18:00 UTC"),
    ]
    with translation.override("es"):
        (*_, corrected) = of_kind(installed, EventKind.NUMBERS)
    assert (corrected[1], corrected[4]) == ("Asignación corregida", "Asignado desde 2026-03-06 18:00 UTC")


def test_a_number_that_moves_tells_neither_account_of_the_other(
    account: Account, make_account: Callable[..., Account], member: User
) -> None:
    third, other = make_account("300003"), make_account("200002", company="Blue Harbor")
    number = PhoneNumber(account=account, number="+18005550100")
    attributed(number, to=member, at=NOON).save()
    for hours, owner in enumerate((other, third), start=1):
        number.account = owner
        attributed(number, to=member, at=NOON + timedelta(hours=hours)).save()
    number.number = "+18005550111"
    attributed(number, to=member, at=NOON + timedelta(hours=3)).save()

    def seen(mine: Account) -> list[tuple[str, str]]:
        return [event[1:3] for event in of_kind(mine, EventKind.NUMBERS)]

    added, moved = ("Number added", "(800) 555-0100"), ("Number moved away", "(800) 555-0100")
    assert seen(account) == [added, moved]
    assert seen(other) == [added, moved]
    assert seen(third) == [added, ("Number changed", "(800) 555-0111")]
    assert all(event[3] == [] for event in of_kind(account, EventKind.NUMBERS))


def test_the_mode_and_requests_are_told_without_the_teams_own_words(
    installed: Account, owner: User, member: User
) -> None:
    request_go_live(installed, wanted_on=NOON.date(), note="Soon", by=owner, now=NOON)
    withdraw_go_live(installed, by=owner, now=NOON + timedelta(hours=1))
    activate(installed, by=member, reason="Pays at last", now=NOON + timedelta(hours=2))
    events = of_kind(installed, EventKind.ONBOARDING)
    assert events == [
        ("Olivia Owner", "Onboarding mode switched on", "100001", [("Mode", "", "in onboarding")], ""),
        ("Olivia Owner", "Asked to go live", "for March 6, 2026", [], ""),
        ("Olivia Owner", "Request to go live withdrawn", "for March 6, 2026", [], ""),
        ("Onboarding team", "Account activated", "100001", [("Mode", "in onboarding", "active")], ""),
    ]
    assert "Pays at last" not in str(events)
    newest = next(events_of(installed, Wanted(kind=EventKind.ONBOARDING)))
    assert (newest.who, newest.person) == ("Onboarding team", "tom@example.com")


def test_what_the_schedule_did_the_system_did(installed: Account) -> None:
    system = User.objects.system_member()
    Onboarding.objects.update(announced_for=NOON.date())
    activation = {"activated_at": NOON, "activated_by": system, "activated_from": Origin.SCHEDULE, "reason": "60 days"}
    mode = Onboarding.objects.get()
    for name, value in activation.items():
        setattr(mode, name, value)
    attributed(mode, to=system, at=NOON).save()
    [told_by_system] = events_of(installed, Wanted(who="system", kind=EventKind.ONBOARDING))
    assert (told_by_system.who, told_by_system.action) == ("System", "Account activated")
    for who in ("team", str(system.pk)):
        assert not list(events_of(installed, Wanted(who=who, kind=EventKind.ONBOARDING)))


def test_what_the_team_plans_is_told_without_its_reasons_and_its_owner(installed: Account, member: User) -> None:
    def plan(hours: int, **fields: Any) -> None:
        mode = Onboarding.objects.get()
        for name, value in fields.items():
            setattr(mode, name, value)
        attributed(mode, to=member, at=NOON + timedelta(hours=hours)).save()

    first, second = date(2026, 4, 1), date(2026, 4, 9)
    plan(1, owner=member)
    plan(2, deadline_rule=DeadlineRule.FIXED, deadline_on=first, deadline_reason="secret")
    plan(3, deadline_on=second)
    plan(4, deadline_rule=DeadlineRule.NONE, deadline_on=None)
    plan(5, scheduled_on=first, scheduled_by=member, schedule_reason="secret")
    plan(6, scheduled_on=second)
    plan(7, scheduled_on=None, scheduled_by=None, schedule_reason="", announced_for=first)
    Refusal.objects.create(account=installed, by=member, action="assign_owner", tried="tom", rule="x", message="tom")
    events = list(reversed(list(events_of(installed, Wanted(who="team")))))
    assert [told(event)[1:4:2] for event in events] == [
        ("Deadline changed", [("Deadline", "as for all accounts", "April 1, 2026")]),
        ("Deadline changed", [("Deadline", "April 1, 2026", "April 9, 2026")]),
        ("Deadline changed", [("Deadline", "April 9, 2026", "none")]),
        ("Activation scheduled", [("Scheduled activation", "", "April 1, 2026")]),
        ("Scheduled activation moved", [("Scheduled activation", "April 1, 2026", "April 9, 2026")]),
        ("Scheduled activation cancelled", [("Scheduled activation", "April 9, 2026", "")]),
    ]
    assert "secret" not in str([told(event) for event in events])


def test_an_answer_to_a_request_is_told(installed: Account, owner: User, member: User) -> None:
    request = request_go_live(installed, wanted_on=NOON.date(), by=owner, now=NOON)
    request.answered_at, request.answered_by, request.answer = NOON, member, "On Monday."
    attributed(request, to=member, at=NOON + timedelta(hours=1)).save()
    [newest] = events_of(installed, Wanted(kind=EventKind.ONBOARDING, who="team"))
    assert told(newest) == ("Onboarding team", "Request to go live answered", "for March 6, 2026", [], "On Monday.")


def test_what_was_written_past_the_application_is_told_too(installed: Account) -> None:
    settle()  # the install is committed
    ContactCenter.objects.update(seats=1)
    settle()
    assert of_kind(installed, EventKind.SUBSCRIPTION)[-1] == (
        "System",
        "Subscription changed",
        "Contact Center Pro",
        [("Seats", "0", "1")],
        "",
    )


def test_contacts_and_the_account_are_told(account: Account, owner: User, make_user: Callable[..., User]) -> None:
    account.company = "Acme Care"
    account.save()
    contact = Contact.objects.create(account=account, user=make_user("vera@example.com"), role=Role.VIEWER)
    contact.role = Role.BILLING
    contact.save()
    contact.delete()
    assert of_kind(account, EventKind.ACCOUNT)[2:] == [
        ("System", "Account changed", "100001", [("Company", "Acme Support", "Acme Care")], ""),
        ("System", "Contact added", "vera@example.com", [("Role", "", "Viewer")], ""),
        ("System", "Contact changed", "vera@example.com", [("Role", "Viewer", "Billing Manager")], ""),
        ("System", "Contact removed", "vera@example.com", [("Role", "Billing Manager", "")], ""),
    ]


def test_invoices_and_credit_notes_are_told(everything: None, installed: Account) -> None:
    told_of = of_kind(installed, EventKind.BILLING)
    assert [event for event in told_of if "profile" not in event[1]] == [
        ("System", "Invoice issued", "INV-000001", [], "$4.50"),
        ("Billing team", "Credit note issued", "CN-000001", [], "$1.00 of INV-000001"),
    ]


def test_events_are_of_the_account_alone(
    everything: None, installed: Account, make_account: Callable[..., Account]
) -> None:
    other = make_account("200002")
    assert {told(event)[1] for event in recent_events(other, 100)} == {"Account opened", "Contact added"}
    assert {event.kind for event in recent_events(installed, 100)} == set(EventKind)


def test_who_may_be_a_person_the_team_or_the_system(
    everything: None, installed: Account, owner: User, member: User
) -> None:
    refused = Refusal(account=installed, by=member, action="activate", rule="x", message="No.")
    refused.save()
    everything_told = list(events_of(installed, Wanted(for_team=True)))

    def asked(who: str) -> list[Event]:
        return list(events_of(installed, Wanted(who=who, for_team=True)))

    assert {event.who for event in asked(str(owner.pk))} == {"Olivia Owner"}
    assert {event.who for event in asked("team")} == {"Onboarding team", "Billing team", "Our team"}
    assert {event.who for event in asked("system")} == {"System"}
    parts = asked(str(owner.pk)) + asked("team") + asked("system")
    assert sorted(parts, key=repr) == sorted(everything_told, key=repr)
    assert asked(str(member.pk)) == []  # there is no filter for a single member of staff


def test_people_are_those_who_were_ever_contacts(
    account: Account, make_user: Callable[..., User], make_account: Callable[..., Account], member: User
) -> None:
    make_account("200002")
    contact = Contact.objects.create(account=account, user=make_user("vera@example.com"), role=Role.VIEWER)
    contact.delete()
    Contact.objects.create(account=account, user=member, role=Role.VIEWER)
    assert [user.email for user in people_of(account)] == ["vera@example.com", "olivia@example.com"]


def test_moments_are_from_until_before(installed: Account, owner: User) -> None:
    for hours in range(4):
        buy(installed, owner, NOON + timedelta(hours=hours), seats=hours % 2 + 1)
    wanted = Wanted(since=NOON + timedelta(hours=1), until=NOON + timedelta(hours=3))
    assert [event.at for event in events_of(installed, wanted)] == [NOON + timedelta(hours=h) for h in (2, 1)]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 50])
def test_pages_follow_one_another_without_gap_or_repetition(everything: None, installed: Account, size: int) -> None:
    """Many of these events have the same time: those of the install, and users added at that time."""
    same = [ServiceUser(account=installed, name=f"P{i}", email=f"p{i}@example.com") for i in range(9)]
    for person in same:
        person._history_date = INSTALLED  # type: ignore[attr-defined]
        person.save()
    pages, cursor = [], None
    while True:
        page = event_page(installed, Wanted(before=cursor), size)
        pages.append(page.events)
        cursor = page.older and Cursor.read(str(page.older))
        if cursor is None:
            break
    everything_told = recent_events(installed, 1_000)
    assert [event for page in pages for event in page] == everything_told
    assert all(len(page) == size for page in pages[:-1])
    assert len({event.cursor for event in everything_told}) == len(everything_told)
    assert [e.at for e in everything_told] == sorted((e.at for e in everything_told), reverse=True)


@pytest.mark.parametrize(
    "text",
    ["", "~", "~~", "x~1~1", "2026-03-05~1~1", "2026-03-05T10:00:00+00:00~1", "2026-03-05T10:00:00+00:00~x~1",
     "0001-01-01T00:00:00+14:00~1~1", "2026-03-05T10:00:00+00:00~1~" + "9" * 30],
)  # fmt: skip
def test_a_place_that_can_not_be_is_none(text: str) -> None:
    assert Cursor.read(text) is None


def test_one_query_reads_any_events(
    everything: None, installed: Account, django_assert_num_queries: Callable[[int], CaptureQueriesContext]
) -> None:
    with django_assert_num_queries(1):
        assert len(recent_events(installed, 5)) == 5
    with django_assert_num_queries(1):
        event_page(installed, Wanted(kind=EventKind.USERS, who="team", until=datetime(2026, 4, 1, tzinfo=UTC)), 50)
    with django_assert_num_queries(0):
        assert list(events_of(installed, Wanted(kind="no kind"))) == []


def test_all_events_are_read_in_chunks(everything: None, installed: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = recent_events(installed, 100)
    monkeypatch.setattr(reading_of_events, "CHUNK", 3)
    assert list(events_of(installed, Wanted())) == whole


def test_every_history_of_an_account_is_told() -> None:
    kept = {
        model
        for app in ("accounts", "onboarding", "subscriptions", "billing")
        for model in apps.get_app_config(app).get_models()
        if hasattr(model, "history") and any(field.name == "account" for field in model._meta.fields)
    }
    assert {source.model for source in all_sources() if isinstance(source, HistorySource)} == {*kept, Account}
