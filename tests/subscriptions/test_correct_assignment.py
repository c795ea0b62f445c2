"""Staff add a missing assignment of a number; a refused attempt writes nothing but the refusal."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.core.exceptions import PermissionDenied, ValidationError

from accounts.models import Account, NumberAssignment, PhoneNumber, Refusal, User
from subscriptions.actions import assign_number, correct_assignment
from tests.conftest import INSTALLED, codes

START, END, NOW = (datetime(2026, month, 10, tzinfo=UTC) for month in (4, 5, 6))


@pytest.fixture
def corrector(supporter: User) -> User:
    supporter.user_permissions.add(Permission.objects.get(codename="change_phonenumber"))
    return User.objects.get(pk=supporter.pk)


def correct(account: Account, number: PhoneNumber, by: User, **changed: Any) -> NumberAssignment:
    values = {"start": START, "end": END, "reason": "Ticket 4711", "now": NOW, **changed}
    return correct_assignment(account, number, values.pop("start"), values.pop("end"), by=by, **values)


def test_a_period_of_the_past_is_added_and_the_history_says_why(
    installed: Account, toll_free: PhoneNumber, corrector: User
) -> None:
    assignment = correct(installed, toll_free, corrector)
    assert (assignment.period.lower, assignment.period.upper) == (START, END)
    assert (assignment.assigned_by, assignment.ended_by) == (corrector, corrector)
    told = toll_free.history.get(history_type="~")
    assert (told.history_user, told.history_date) == (corrector, NOW)
    assert told.history_change_reason == "Assigned from 2026-04-10 00:00 UTC: Ticket 4711"


def test_without_an_end_it_goes_on(installed: Account, toll_free: PhoneNumber, corrector: User) -> None:
    assignment = correct(installed, toll_free, corrector, end=None)
    assert NumberAssignment.objects.current().get() == assignment
    assert assignment.ended_by is None


@pytest.mark.parametrize(
    ("changed", "refused"),
    [
        ({"start": INSTALLED - timedelta(seconds=1)}, ("__all__", "before_install")),
        ({"start": END, "end": START}, ("__all__", "out_of_order")),
        ({"end": START}, ("__all__", "out_of_order")),
        ({"end": NOW + timedelta(seconds=1)}, ("__all__", "not_past")),
        ({"start": NOW + timedelta(seconds=1), "end": None}, ("__all__", "not_past")),
        ({"reason": " "}, ("reason", "reason_needed")),
    ],
)
def test_what_can_not_be_is_refused(
    installed: Account, toll_free: PhoneNumber, corrector: User, changed: dict[str, Any], refused: tuple[str, str]
) -> None:
    with pytest.raises(ValidationError) as refusal:
        correct(installed, toll_free, corrector, **changed)
    assert codes(refusal.value) == {refused}
    assert not NumberAssignment.objects.exists()
    assert Refusal.objects.get().rule == refused[1]


@pytest.mark.parametrize(("start", "end"), [(START, None), (END, NOW), (START, END)])
def test_an_overlap_is_refused(
    installed: Account, toll_free: PhoneNumber, corrector: User, owner: User, start: datetime, end: datetime | None
) -> None:
    assign_number(installed, toll_free, by=owner, now=END - timedelta(days=1))
    with pytest.raises(ValidationError) as refusal:
        correct(installed, toll_free, corrector, start=start, end=end)
    assert codes(refusal.value) == {("__all__", "already_assigned")}
    assert NumberAssignment.objects.count() == 1
    correct(installed, toll_free, corrector, end=END - timedelta(days=1))


def test_a_number_of_another_account_is_refused(
    installed: Account, corrector: User, make_account: Callable[..., Account]
) -> None:
    number = PhoneNumber.objects.create(account=make_account("100002"), number="+18005550101")
    with pytest.raises(ValidationError) as refusal:
        correct(installed, number, corrector)
    assert codes(refusal.value) == {("__all__", "unknown_number")}


def test_only_staff_who_may_change_numbers_correct(
    installed: Account, toll_free: PhoneNumber, owner: User, supporter: User, corrector: User
) -> None:
    User.objects.filter(pk=corrector.pk).update(is_active=False)  # in the database only, not in the object
    for by in (owner, corrector):
        with pytest.raises(PermissionDenied):
            correct(installed, toll_free, by)
    assert not NumberAssignment.objects.exists()
    assert list(Refusal.objects.values_list("rule", flat=True)) == ["permission_denied"] * 2
