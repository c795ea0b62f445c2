"""Purchases at the same moment, in real transactions; for each race, a control shows that it exists."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from importlib import import_module
from threading import Barrier
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.core.exceptions import ValidationError

from accounts.models import Account, AccountQuerySet, Refusal, User
from core.refusals import AlreadyDone
from onboarding.rules import SEAT_LIMIT
from subscriptions.actions import change_subscription, propose_subscription
from subscriptions.catalogue import contact_center_of, held_by
from subscriptions.changing import Confirmation
from subscriptions.models import ContactCenter, Holding, Slot, SubscriptionChange
from subscriptions.rules import Subscription
from subscriptions.writing import write_change
from tests.conftest import codes
from tests.guarding import sql
from tests.racing import at_once

pytestmark = pytest.mark.django_db(transaction=True)
CHANGING = import_module("subscriptions.actions.change_subscription")  # the module; the package has the verb
MANY = 50


def page(account: Account, by: User) -> tuple[Subscription, Callable[[Subscription], str]]:
    """Return what the page shows is held, and a function that returns the digest of the confirmation page.

    The function raises a ValidationError, like a stale page, if by then something else is held than the page showed.
    """
    held = held_by(contact_center_of(account))

    def digest(wanted: Subscription) -> str:
        proposal = propose_subscription(account, wanted, by=by)
        if proposal.differences[0].before != str(held.seats):
            raise ValidationError("Somebody else bought in between.", code="stale")
        return proposal.confirmation_digest

    return held, digest


def one_more_seat(account: Account, by: User) -> SubscriptionChange:
    held, digest = page(account, by)
    wanted = replace(held, seats=held.seats + 1)
    return change_subscription(account, wanted, by=by, confirmation=Confirmation(uuid4(), digest(wanted)))


def insist(account: Account, by: User) -> SubscriptionChange:
    """Buy one more seat as a customer would: reload the page and try again whenever somebody else was faster."""
    while True:
        try:
            return one_more_seat(account, by)
        except ValidationError as refusal:
            if codes(refusal) not in ({("__all__", "stale")}, {("__all__", "no_change")}):
                raise


def seats_of_the_ledger() -> int:
    """Return the seats held from now on according to the ledger."""
    return Holding.objects.open().get(slot=Slot.PRODUCT).quantity


def reasons(outcomes: list[Any]) -> Counter[object]:
    """Count the outcomes by the code of the refusal, or by type for anything else."""
    return Counter(
        next(iter(codes(outcome)))[1] if isinstance(outcome, ValidationError) else type(outcome).__name__
        for outcome in outcomes
    )


def test_fifty_customers_who_insist_never_pass_two_seats(installed: Account, owner: User) -> None:
    outcomes = at_once(MANY, lambda _: insist(installed, owner))
    assert reasons(outcomes) == {"SubscriptionChange": 2, "seat_limit": MANY - 2}
    center = ContactCenter.objects.get()
    assert (center.seats, center.version, seats_of_the_ledger()) == (2, 2, 2)
    assert list(SubscriptionChange.objects.order_by("version").values_list("version", flat=True)) == [0, 1, 2]
    assert [row.seats for row in center.history.order_by("history_id")] == [0, 1, 2]
    assert Refusal.objects.filter(rule="seat_limit").count() == MANY - 2


def test_fifty_confirmations_of_one_page_buy_once(installed: Account, owner: User) -> None:
    held, digest = page(installed, owner)
    wanted = replace(held, seats=1)
    shown = digest(wanted)
    outcomes = at_once(
        MANY, lambda _: change_subscription(installed, wanted, by=owner, confirmation=Confirmation(uuid4(), shown))
    )
    assert reasons(outcomes) == {"SubscriptionChange": 1, "stale": MANY - 1}
    center = ContactCenter.objects.get()
    assert (center.seats, center.version, seats_of_the_ledger()) == (1, 1, 1)


@pytest.fixture
def without_the_lock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(AccountQuerySet, "locked", lambda accounts: accounts.order_by("pk"))


def test_control_without_the_lock_all_pass_the_check_and_only_the_database_stops_them(
    installed: Account, owner: User, without_the_lock: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    racers = 10
    checked: list[int] = []
    all_checked = Barrier(racers)

    def write_when_all_have_checked(center: ContactCenter, *args: Any, **kwargs: Any) -> SubscriptionChange:
        checked.append(center.version)
        all_checked.wait(timeout=60)
        return write_change(center, *args, **kwargs)

    monkeypatch.setattr(
        import_module("subscriptions.actions.change_subscription"), "write_change", write_when_all_have_checked
    )
    outcomes = at_once(racers, lambda _: one_more_seat(installed, owner))
    assert checked == [0] * racers
    assert reasons(outcomes) == {"SubscriptionChange": 1, "one_change_a_version": racers - 1}
    center = ContactCenter.objects.get()
    assert (center.seats, center.version, seats_of_the_ledger()) == (1, 1, 1)


def test_with_the_lock_each_version_is_checked_and_written_by_one(
    installed: Account, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    checked: list[int] = []

    def note(center: ContactCenter, *args: Any, **kwargs: Any) -> SubscriptionChange:
        checked.append(center.version)
        return write_change(center, *args, **kwargs)

    monkeypatch.setattr(CHANGING, "write_change", note)
    at_once(10, lambda _: insist(installed, owner))
    assert checked == list(range(SEAT_LIMIT))


def test_one_confirmation_submitted_ten_times_at_once_has_one_effect(installed: Account, owner: User) -> None:
    held, digest = page(installed, owner)
    wanted = replace(held, seats=2, storage="storage-25")
    confirmation = Confirmation(UUID(int=1), digest(wanted))
    outcomes = at_once(10, lambda _: change_subscription(installed, wanted, by=owner, confirmation=confirmation))
    assert Counter(type(outcome) for outcome in outcomes) == {SubscriptionChange: 1, AlreadyDone: 9}
    assert reasons(outcomes) == {"SubscriptionChange": 1, "already_confirmed": 9}
    assert list(SubscriptionChange.objects.values_list("version", "confirmation")) == [(0, None), (1, UUID(int=1))]
    assert (ContactCenter.objects.get().seats, seats_of_the_ledger()) == (2, 2)
    assert not Refusal.objects.exists()


def add_a_seat(_: int) -> str:
    sql("UPDATE subscriptions_contactcenter SET seats = seats + 1")
    return "bought"


def test_fifty_raw_updates_stop_at_two_seats(installed: Account) -> None:
    outcomes = at_once(MANY, add_a_seat)
    assert Counter(map(str, outcomes))["bought"] == 2
    assert Counter(type(outcome).__name__ for outcome in outcomes) == {"str": 2, "IntegrityError": MANY - 2}
    assert ContactCenter.objects.get().seats == 2


@pytest.fixture
def seat_limit_off(installed: Account) -> Iterator[None]:
    sql("ALTER TABLE subscriptions_contactcenter DISABLE TRIGGER onboarding_seat_limit")
    yield
    sql("ALTER TABLE subscriptions_contactcenter ENABLE TRIGGER onboarding_seat_limit")


def test_control_without_the_guard_all_fifty_raw_updates_succeed(seat_limit_off: None) -> None:
    assert at_once(MANY, add_a_seat) == ["bought"] * MANY
    assert ContactCenter.objects.get().seats == MANY
