"""Assigning Contact Center to service users and numbers, without limit in either mode (R5)."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.core.exceptions import PermissionDenied, ValidationError

from accounts.actions import add_service_user
from accounts.models import Account, Contact, NumberAssignment, PhoneNumber, Refusal, Role, ServiceUser, User
from core.clock import database_now
from core.refusals import AlreadyDone
from subscriptions.actions import assign_number, assign_users, unassign_number
from tests.conftest import codes
from tests.guarding import nothing_written

NOON = datetime(2026, 3, 20, 12, tzinfo=UTC)


def people(account: Account, by: User, count: int) -> list[ServiceUser]:
    return [
        add_service_user(account, name=f"Person {number}", email=f"person{number}@example.com", by=by)
        for number in range(count)
    ]


def roles() -> dict[str, str]:
    return dict(ServiceUser.objects.values_list("name", "contact_center_role"))


@pytest.mark.parametrize("mode", ["installed", "active"])
def test_any_number_of_people_get_a_role(request: pytest.FixtureRequest, owner: User, mode: str) -> None:
    account = request.getfixturevalue(mode)
    some = people(account, owner, 12)
    changed = assign_users(account, {person.pk: "agent" for person in some}, by=owner)
    assert {person.pk for person in changed} == {person.pk for person in some}
    assert ServiceUser.objects.with_contact_center().count() == 12
    assert not ServiceUser.objects.without_contact_center().exists()
    for person in some:
        assert [(row.contact_center_role, row.history_user) for row in person.history.all()] == [
            ("agent", owner),
            ("", owner),
        ]


def test_only_who_changes_is_written_and_returned(installed: Account, owner: User) -> None:
    ann, bob, carl = people(installed, owner, 3)
    assign_users(installed, {ann.pk: "agent", bob.pk: "team_leader", carl.pk: "office_manager"}, by=owner)
    changed = assign_users(installed, {ann.pk: "agent", bob.pk: "call_center_manager", carl.pk: ""}, by=owner)
    assert {person.pk for person in changed} == {bob.pk, carl.pk}
    assert list(roles().values()) == ["agent", "call_center_manager", ""]
    assert [person.history.count() for person in (ann, bob, carl)] == [2, 3, 3]
    with nothing_written():
        assert assign_users(installed, {ann.pk: "agent"}, by=owner) == []
        assert assign_users(installed, {}, by=owner) == []


def test_people_of_others_and_unknown_roles_are_refused_all_or_none(
    installed: Account, make_account: Callable[..., Account], owner: User
) -> None:
    [ann] = people(installed, owner, 1)
    other = make_account("100002", owner=owner)
    [theirs] = people(other, owner, 1)
    with nothing_written(but=(Refusal,)), pytest.raises(ValidationError) as refusal:
        assign_users(installed, {ann.pk: "agent", theirs.pk: "agent", 2**70: "captain", 0: "\x00"}, by=owner)
    assert codes(refusal.value) == {("roles", "unknown_user"), ("roles", "unknown_role")}
    assert set(Refusal.objects.values_list("rule", "tried")) == {
        ("unknown_user", "0"),
        ("unknown_user", str(theirs.pk)),
        ("unknown_user", str(2**70)),
        ("unknown_role", "captain"),
        ("unknown_role", "�"),
    }


def test_without_contact_center_nothing_is_assigned(account: Account, owner: User, toll_free: PhoneNumber) -> None:
    [ann] = people(account, owner, 1)
    for assign in (
        lambda: assign_users(account, {ann.pk: "agent"}, by=owner),
        lambda: assign_number(account, toll_free, by=owner),
    ):
        with nothing_written(but=(Refusal,)), pytest.raises(ValidationError) as refusal:
            assign()
        assert codes(refusal.value) == {("__all__", "not_installed")}


@pytest.mark.parametrize("mode", ["installed", "active"])
def test_any_number_of_numbers_is_assigned(request: pytest.FixtureRequest, owner: User, mode: str) -> None:
    account = request.getfixturevalue(mode)
    for number in ("+18005550100", "+18335550101", "+12125550102", "+13105550103"):
        phone = PhoneNumber.objects.create(account=account, number=number)
        assignment = assign_number(account, phone, by=owner, now=NOON)
        assert (assignment.account, assignment.assigned_by, assignment.ended_by) == (account, owner, None)
        assert (assignment.period.lower, assignment.period.upper) == (NOON, None)
    assert NumberAssignment.objects.current().count() == 4


def test_a_number_is_assigned_unassigned_and_assigned_again(
    installed: Account, owner: User, toll_free: PhoneNumber
) -> None:
    assign_number(installed, toll_free, by=owner, now=NOON)
    with nothing_written(), pytest.raises(AlreadyDone) as answer:
        assign_number(installed, toll_free, by=owner, now=NOON)
    assert answer.value.code == "already_assigned"
    ended = unassign_number(installed, toll_free, by=owner, now=NOON + timedelta(hours=1))
    ended.refresh_from_db()
    assert (ended.period.lower, ended.period.upper, ended.ended_by) == (NOON, NOON + timedelta(hours=1), owner)
    with nothing_written(), pytest.raises(AlreadyDone) as answer:
        unassign_number(installed, toll_free, by=owner)
    assert answer.value.code == "not_assigned"
    again = assign_number(installed, toll_free, by=owner, now=NOON + timedelta(hours=1))
    assert list(NumberAssignment.objects.current()) == [again]
    assert list(NumberAssignment.objects.at(NOON + timedelta(minutes=59))) == [ended]
    assert list(NumberAssignment.objects.at(NOON + timedelta(hours=1))) == [again]


@pytest.mark.parametrize("later", [timedelta(0), timedelta(seconds=-1)])
def test_an_assignment_does_not_end_before_it_starts(
    installed: Account, owner: User, toll_free: PhoneNumber, later: timedelta
) -> None:
    assign_number(installed, toll_free, by=owner, now=NOON)
    with nothing_written(but=(Refusal,)), pytest.raises(ValidationError) as refusal:
        unassign_number(installed, toll_free, by=owner, now=NOON + later)
    assert codes(refusal.value) == {("__all__", "out_of_order")}


def test_an_assignment_into_a_past_one_is_refused_in_words(
    installed: Account, owner: User, toll_free: PhoneNumber
) -> None:
    assign_number(installed, toll_free, by=owner, now=NOON)
    unassign_number(installed, toll_free, by=owner, now=NOON + timedelta(days=2))
    with nothing_written(but=(Refusal,)), pytest.raises(ValidationError) as refusal:
        assign_number(installed, toll_free, by=owner, now=NOON + timedelta(days=1))
    assert codes(refusal.value) == {("__all__", "number_assigned_once_at_a_time")}


@pytest.mark.parametrize("verb", [assign_number, unassign_number])
def test_the_number_of_another_account_is_refused(
    installed: Account,
    make_account: Callable[..., Account],
    owner: User,
    verb: Callable[..., NumberAssignment],
) -> None:
    theirs = PhoneNumber.objects.create(account=make_account("100002", owner=owner), number="+18005550199")
    with nothing_written(but=(Refusal,)), pytest.raises(ValidationError) as refusal:
        verb(installed, theirs, by=owner)
    assert codes(refusal.value) == {("__all__", "unknown_number")}


@pytest.mark.parametrize("role", [Role.BILLING, Role.VIEWER, None])
def test_only_owners_and_technical_administrators_assign(
    installed: Account, owner: User, make_user: Callable[..., User], toll_free: PhoneNumber, role: Role | None
) -> None:
    other = make_user("other@example.com")
    if role:
        Contact.objects.create(account=installed, user=other, role=role)
    [ann] = people(installed, owner, 1)
    for assign in (
        lambda: assign_users(installed, {ann.pk: "agent"}, by=other),
        lambda: assign_number(installed, toll_free, by=other),
        lambda: unassign_number(installed, toll_free, by=other),
    ):
        with nothing_written(but=(Refusal,)), pytest.raises(PermissionDenied):
            assign()


@pytest.mark.parametrize("minutes", [-10, 10])
def test_the_clock_is_the_databases(installed: Account, owner: User, toll_free: PhoneNumber, minutes: int) -> None:
    before = database_now()
    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=minutes), tick=False):
        assign_number(installed, toll_free, by=owner)
        period = unassign_number(installed, toll_free, by=owner).period
    assert before < period.lower < period.upper < database_now()
