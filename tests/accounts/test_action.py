"""How every action runs: what a refusal rolls back and records; and adding service users."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError

from accounts.acting import RecordedDenial, action, record_refusals
from accounts.actions import add_service_user
from accounts.models import Account, Refusal, ServiceUser, User
from accounts.verbs import OPEN_PAGE
from core.refusals import AlreadyDone
from onboarding.rules import SEAT_LIMIT
from subscriptions.models import ContactCenter
from tests.conftest import codes
from tests.guarding import nothing_written, refused_by


def attempt(account: Account, by: User, raised: Exception) -> None:
    """Run an action that writes and then raises."""

    @action(records_as="install")
    def rename(account: Account, *, by: User) -> None:
        account.company = "Renamed"
        account.save()
        raise raised

    rename(account, by=by)


@pytest.mark.parametrize(
    ("raised", "rows"),
    [
        (ValidationError("No.", code="no"), [("", "no", "", "No.")]),
        (ValidationError("No."), [("", "invalid", "", "No.")]),
        (ValidationError(["One.", "Two."]), [("", "invalid", "", "One."), ("", "invalid", "", "Two.")]),
        (
            ValidationError(
                {"seats": [ValidationError("Not %(tried)s.", code="range", params={"tried": 3})], "storage": "No."}
            ),
            [("seats", "range", "3", "Not 3."), ("storage", "invalid", "", "No.")],
        ),
        (PermissionDenied("Not you."), [("", "permission_denied", "", "Not you.")]),
        (
            ValidationError("“%(tried)s”", code="x" * 70, params={"tried": "\x00" + "y" * 300}),
            [("", "x" * 64, "�" + "y" * 199, "“�" + "y" * 300 + "”")],
        ),
    ],
    ids=repr,
)
def test_a_refusal_undoes_what_was_written_and_leaves_a_row_for_each_reason(
    account: Account, owner: User, raised: Exception, rows: list[tuple[str, ...]]
) -> None:
    with nothing_written(but=(Refusal,)), pytest.raises(type(raised)):
        attempt(account, owner, raised)
    left = Refusal.objects.filter(account=account, by=owner, action="install").order_by("pk")
    assert list(left.values_list("field", "rule", "tried", "message")) == rows


@pytest.mark.parametrize("raised", [AlreadyDone("It is."), RuntimeError("a defect")], ids=repr)
def test_what_is_done_already_and_defects_leave_nothing(account: Account, owner: User, raised: Exception) -> None:
    with nothing_written(), pytest.raises(type(raised)):
        attempt(account, owner, raised)


def test_a_guard_of_the_database_becomes_a_refusal_in_its_words(installed: Account, owner: User) -> None:
    @action(records_as="change_subscription")
    def oversell(account: Account, *, by: User) -> None:
        ContactCenter.objects.filter(account=account).update(seats=SEAT_LIMIT + 1)

    with nothing_written(but=(Refusal,)), pytest.raises(ValidationError) as refusal:
        oversell(installed, by=owner)
    assert codes(refusal.value) == {("__all__", "onboarding_seat_limit")}
    assert refusal.value.messages == [f"An account in onboarding can hold at most {SEAT_LIMIT} concurrent-user seats."]
    assert Refusal.objects.get().rule == "onboarding_seat_limit"


def test_a_constraint_without_words_stays_a_defect(account: Account, owner: User) -> None:
    @action
    def double(account: Account, *, by: User) -> None:
        Account.objects.create(number=account.number, company="Twice")

    with nothing_written(), pytest.raises(IntegrityError):
        double(account, by=owner)


def test_the_verb_gets_the_account_as_it_stands_after_the_lock(account: Account, owner: User) -> None:
    stale = Account.objects.get(pk=account.pk)
    Account.objects.update(company="Renamed")

    @action
    def company(account: Account, *, by: User) -> str:
        return account.company

    assert company(stale, by=owner) == "Renamed"


def test_an_action_is_taken_by_somebody(account: Account) -> None:
    with nothing_written(), pytest.raises(AssertionError):
        add_service_user(account, name="Ann", email="ann@example.com", by=None)


def test_a_denial_that_was_recorded_says_so(account: Account, owner: User) -> None:
    with pytest.raises(RecordedDenial, match="Not you"):
        attempt(account, owner, PermissionDenied("Not you."))


def test_who_was_deactivated_meanwhile_may_do_nothing(account: Account, owner: User) -> None:
    User.objects.filter(pk=owner.pk).update(is_active=False)
    with nothing_written(but=(Refusal,)), pytest.raises(PermissionDenied, match="switched off"):
        add_service_user(account, name="Ann", email="ann@example.com", by=owner)


def test_staff_who_lost_the_permission_meanwhile_may_not_act_for_a_customer(account: Account, member: User) -> None:
    assert member.has_perm("accounts.add_serviceuser"), "the object now keeps its permissions"
    member.groups.clear()
    with nothing_written(but=(Refusal,)), pytest.raises(PermissionDenied, match="does not let you change services"):
        add_service_user(account, name="Ann", email="ann@example.com", by=member)


def test_a_refusal_may_be_of_nobody_and_no_account(db: None) -> None:
    record_refusals(None, None, OPEN_PAGE, ValidationError("No.", code="no"))
    assert (Refusal.objects.get().account, Refusal.objects.get().by) == (None, None)


def test_a_person_is_added_with_a_tidy_name_and_address(account: Account, owner: User) -> None:
    ann = add_service_user(account, name="  Ann Agent ", email=" Ann@Example.com ", by=owner)
    ann.refresh_from_db()
    assert (ann.account, ann.name, ann.email, ann.contact_center_role) == (account, "Ann Agent", "ann@example.com", "")
    assert ann.history.get().history_user == owner


@pytest.mark.parametrize(
    ("name", "email", "reason"),
    [
        ("Ann", "ann", ("email", "invalid")),
        ("Ann", "", ("email", "blank")),
        (" ", "ann@example.com", ("name", "blank")),
        ("A" * 201, "ann@example.com", ("name", "max_length")),
    ],
)
def test_a_person_without_a_name_or_an_address_is_refused(
    account: Account, owner: User, name: str, email: str, reason: tuple[str, str]
) -> None:
    with nothing_written(but=(Refusal,)), pytest.raises(ValidationError) as refusal:
        add_service_user(account, name=name, email=email, by=owner)
    assert codes(refusal.value) == {reason}


def test_an_address_is_on_the_list_once(account: Account, owner: User, make_account: Callable[..., Account]) -> None:
    add_service_user(account, name="Ann", email="ann@example.com", by=owner)
    with nothing_written(but=(Refusal,)), pytest.raises(ValidationError, match="already on the list"):
        add_service_user(account, name="Ann again", email="ANN@example.com", by=owner)
    with refused_by("service_user_email_once_per_account"):
        ServiceUser.objects.bulk_create([ServiceUser(account=account, name="Ann", email="ANN@example.com")])
    add_service_user(make_account("100002", owner=owner), name="Ann", email="ann@example.com", by=owner)


def test_the_list_is_searched_by_name_and_address(account: Account, owner: User) -> None:
    for name, email in (("Ann Agent", "ann@example.com"), ("Bob", "bob@agents.example.com"), ("Carl", "c@example.com")):
        add_service_user(account, name=name, email=email, by=owner)
    found: dict[str, Any] = {
        words: [person.name for person in ServiceUser.objects.matching(words)] for words in ("AGENT", "%", "")
    }
    assert found == {"AGENT": ["Ann Agent", "Bob"], "%": [], "": ["Ann Agent", "Bob", "Carl"]}
