"""`request_go_live` and `withdraw_go_live`: customers ask to go live, and can withdraw the request (R17)."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pytest
from django.core.exceptions import PermissionDenied, ValidationError

from accounts.models import Account, Contact, Refusal, Role, User
from onboarding.actions import activate, request_go_live, withdraw_go_live
from onboarding.models import GoLiveRequest
from tests.conftest import codes
from tests.guarding import nothing_written, refused_by

# It is still March 16 in New York, the account's time zone.
NOW = datetime(2026, 3, 17, 3, 30, tzinfo=UTC)
TODAY = date(2026, 3, 16)


def ask(account: Account, by: User, wanted_on: date = TODAY) -> GoLiveRequest:
    return request_go_live(account, wanted_on=wanted_on, note=" Please. ", by=by, now=NOW)


def test_a_request_waits_with_who_asked_and_when(installed: Account, owner: User) -> None:
    request = ask(installed, owner, date(2026, 4, 1))
    assert list(GoLiveRequest.objects.open()) == [request]
    assert (request.wanted_on, request.note, request.requested_by, request.requested_at) == (
        date(2026, 4, 1),
        "Please.",
        owner,
        NOW,
    )
    history = request.history.get()
    assert (history.history_user, history.history_date) == (owner, NOW)
    assert not installed.onboarding.is_active


@pytest.mark.parametrize("days", [0, 365])
def test_the_day_may_be_from_today_where_the_account_is_to_a_year_from_now(
    installed: Account, owner: User, days: int
) -> None:
    ask(installed, owner, TODAY + timedelta(days=days))


@pytest.mark.parametrize("days", [-1, 366])
def test_any_other_day_is_refused(installed: Account, owner: User, days: int) -> None:
    with nothing_written(but=(Refusal,)), pytest.raises(ValidationError) as refusal:
        ask(installed, owner, TODAY + timedelta(days=days))
    assert codes(refusal.value) == {("wanted_on", "wanted_date")}
    assert refusal.value.messages == ["Choose a day from today, March 16, 2026, to a year from now."]
    assert Refusal.objects.get().tried == str(TODAY + timedelta(days=days))


def test_only_one_request_waits(installed: Account, owner: User) -> None:
    ask(installed, owner)
    with nothing_written(but=(Refusal,)), pytest.raises(ValidationError, match="already asked to go live"):
        ask(installed, owner)
    with refused_by("one_go_live_request_at_a_time"):
        GoLiveRequest.objects.create(account=installed, wanted_on=TODAY, requested_by=owner)


def test_an_active_account_has_nothing_to_ask_for(active: Account, owner: User) -> None:
    with nothing_written(but=(Refusal,)), pytest.raises(ValidationError) as refusal:
        ask(active, owner)
    assert codes(refusal.value) == {("__all__", "already_active")}


def test_an_account_without_contact_center_neither(account: Account, owner: User) -> None:
    with nothing_written(but=(Refusal,)), pytest.raises(ValidationError) as refusal:
        ask(account, owner)
    assert codes(refusal.value) == {("__all__", "not_installed")}


def test_the_activation_answers_the_request(installed: Account, owner: User, member: User) -> None:
    ask(installed, owner)
    activate(installed, by=member, reason="Asked for", now=NOW)
    assert not GoLiveRequest.objects.open().exists()
    with nothing_written(but=(Refusal,)), pytest.raises(ValidationError) as refusal:
        withdraw_go_live(installed, by=owner)
    assert codes(refusal.value) == {("__all__", "no_request")}


def test_a_request_is_taken_back_and_another_made(installed: Account, owner: User) -> None:
    ask(installed, owner)
    later = NOW + timedelta(hours=1)
    request = withdraw_go_live(installed, by=owner, now=later)
    request.refresh_from_db()
    assert (request.withdrawn_by, request.withdrawn_at) == (owner, later)
    history = request.history.latest("history_id")
    assert (history.history_user, history.history_date, history.withdrawn_at) == (owner, later, later)
    assert not GoLiveRequest.objects.open().exists()
    assert ask(installed, owner) == GoLiveRequest.objects.open().get()


def test_without_a_request_there_is_none_to_take_back(installed: Account, owner: User) -> None:
    with nothing_written(but=(Refusal,)), pytest.raises(ValidationError) as refusal:
        withdraw_go_live(installed, by=owner)
    assert codes(refusal.value) == {("__all__", "no_request")}


@pytest.mark.parametrize("role", [Role.BILLING, Role.VIEWER, None])
def test_only_owners_and_technical_administrators_ask(
    installed: Account, make_user: Callable[..., User], owner: User, role: Role | None
) -> None:
    other = make_user("other@example.com")
    if role:
        Contact.objects.create(account=installed, user=other, role=role)
    with nothing_written(but=(Refusal,)), pytest.raises(PermissionDenied):
        ask(installed, other)
    ask(installed, owner)
    with nothing_written(but=(Refusal,)), pytest.raises(PermissionDenied):
        withdraw_go_live(installed, by=other)
