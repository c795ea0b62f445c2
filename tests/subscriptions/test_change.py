"""`change_subscription`: it makes the whole change or raises every reason against it, and writes ledger rows."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from uuid import uuid4

import pytest
from django.core.exceptions import PermissionDenied, ValidationError

from accounts.models import Account, Contact, Refusal, Role, User
from core.refusals import AlreadyDone
from onboarding.rules import SEAT_LIMIT
from subscriptions.actions import change_subscription
from subscriptions.catalogue import contact_center_of, held_by
from subscriptions.changing import Confirmation
from subscriptions.models import Holding, Slot, SubscriptionChange
from subscriptions.rules import Subscription
from tests.conftest import codes

LATER = datetime(2026, 3, 17, 14, tzinfo=UTC)


def held(account: Account) -> Subscription:
    return held_by(contact_center_of(account))


def buy(account: Account, by: User, *, now: datetime = LATER, **wanted: object) -> SubscriptionChange:
    return change_subscription(account, replace(held(account), **wanted), by=by, now=now)


def ledger(account: Account, slot: int) -> list[tuple[str, int, date, date | None]]:
    rows = Holding.objects.valid().filter(account=account, slot=slot).select_related("item").order_by("period")
    return [(row.item.sku, row.quantity, row.period.lower, row.period.upper) for row in rows]


def test_everything_asked_for_is_held_at_once(installed: Account, owner: User) -> None:
    change = buy(
        installed,
        owner,
        seats=2,
        channels=frozenset({"channel-voice", "channel-chat"}),
        addons=frozenset({"addon-wfm"}),
        storage="storage-100",
    )
    assert held(installed) == Subscription(
        seats=2,
        storage="storage-100",
        package="tf-payperuse",
        channels=frozenset({"channel-voice", "channel-chat"}),
        addons=frozenset({"addon-wfm"}),
    )
    assert (change.version, change.by, change.at) == (1, owner, LATER)
    history = contact_center_of(installed).history.first()
    assert (history.seats, history.history_user) == (2, owner)


def test_a_seat_too_many_and_a_package_are_refused_together_and_nothing_is_written(
    installed: Account, owner: User
) -> None:
    before = held(installed), list(Holding.objects.values_list()), contact_center_of(installed).history.count()
    with pytest.raises(ValidationError) as refusal:
        buy(installed, owner, seats=SEAT_LIMIT + 1, package="tf-500", storage="storage-25")
    assert codes(refusal.value) == {("seats", "seat_limit"), ("package", "package_locked")}
    assert (
        held(installed),
        list(Holding.objects.values_list()),
        contact_center_of(installed).history.count(),
    ) == before
    assert set(Refusal.objects.values_list("account", "by", "action", "field", "rule", "tried")) == {
        (installed.pk, owner.pk, "change_subscription", "seats", "seat_limit", str(SEAT_LIMIT + 1)),
        (installed.pk, owner.pk, "change_subscription", "package", "package_locked", "500 minutes"),
    }


@pytest.mark.parametrize("seats", [-1, 2**31, 2**40])
def test_impossible_seats_are_refused_in_words(active: Account, owner: User, seats: int) -> None:
    with pytest.raises(ValidationError) as refusal:
        buy(active, owner, seats=seats)
    assert codes(refusal.value) == {("seats", "seats_range")}
    assert held(active).seats == 0


def test_what_is_not_sold_is_refused(installed: Account, owner: User) -> None:
    with pytest.raises(ValidationError) as refusal:
        buy(
            installed,
            owner,
            channels=frozenset({"channel-social"}),
            addons=frozenset({"nonsense"}),
            storage="addon-wfm",
        )
    assert codes(refusal.value) == {
        ("channels", "not_for_edition"),
        ("addons", "unknown_item"),
        ("storage", "unknown_item"),
    }


def test_the_highest_seats_of_a_day_count(active: Account, owner: User) -> None:
    buy(active, owner, seats=5, now=datetime(2026, 3, 20, 14, tzinfo=UTC))
    buy(active, owner, seats=50, now=datetime(2026, 3, 22, 14, tzinfo=UTC))
    buy(active, owner, seats=4, now=datetime(2026, 3, 22, 15, tzinfo=UTC))
    buy(active, owner, seats=10, now=datetime(2026, 3, 22, 16, tzinfo=UTC))
    buy(active, owner, seats=0, now=datetime(2026, 3, 25, 16, tzinfo=UTC))
    assert ledger(active, Slot.PRODUCT) == [
        ("cc-pro", 5, date(2026, 3, 20), date(2026, 3, 22)),
        ("cc-pro", 50, date(2026, 3, 22), date(2026, 3, 23)),
        ("cc-pro", 10, date(2026, 3, 23), date(2026, 3, 26)),
    ]


def test_a_day_is_the_accounts_own(make_account: Callable[..., Account], owner: User, installed: Account) -> None:
    # 03:59 UTC on March 20 is still March 19 in New York.
    buy(installed, owner, seats=1, now=datetime(2026, 3, 20, 3, 59, tzinfo=UTC))
    assert ledger(installed, Slot.PRODUCT) == [("cc-pro", 1, date(2026, 3, 19), None)]


def test_a_smaller_package_waits_for_the_first_and_a_later_choice_replaces_it(active: Account, owner: User) -> None:
    buy(active, owner, package="tf-2500", now=datetime(2026, 3, 17, 14, tzinfo=UTC))
    buy(active, owner, package="tf-500", now=datetime(2026, 3, 18, 14, tzinfo=UTC))
    waiting = [
        ("tf-payperuse", 1, date(2026, 3, 5), date(2026, 3, 17)),
        ("tf-2500", 1, date(2026, 3, 17), date(2026, 4, 1)),
    ]
    assert ledger(active, Slot.PACKAGE) == [*waiting, ("tf-500", 1, date(2026, 4, 1), None)]
    buy(active, owner, package="tf-1000", now=datetime(2026, 3, 19, 14, tzinfo=UTC))
    assert ledger(active, Slot.PACKAGE) == [*waiting, ("tf-1000", 1, date(2026, 4, 1), None)]
    buy(active, owner, package="tf-5000", now=datetime(2026, 3, 20, 14, tzinfo=UTC))
    assert ledger(active, Slot.PACKAGE)[1:] == [
        ("tf-2500", 1, date(2026, 3, 17), date(2026, 3, 20)),
        ("tf-5000", 1, date(2026, 3, 20), None),
    ]


def test_asking_for_what_is_held_writes_nothing(installed: Account, owner: User) -> None:
    with pytest.raises(AlreadyDone):
        buy(installed, owner)
    assert SubscriptionChange.objects.count() == 1
    assert not Refusal.objects.exists()


def test_the_past_is_not_changed(active: Account, owner: User) -> None:
    buy(active, owner, seats=5)
    with pytest.raises(ValidationError) as refusal:
        buy(active, owner, seats=6, now=datetime(2026, 3, 17, 13, 59, tzinfo=UTC))
    assert codes(refusal.value) == {("__all__", "out_of_order")}
    assert held(active).seats == 5


@pytest.mark.parametrize("role", [Role.BILLING, Role.VIEWER, None])
def test_only_owners_and_technical_administrators_buy(
    installed: Account, make_user: Callable[..., User], role: Role | None
) -> None:
    other = make_user("other@example.com")
    if role:
        Contact.objects.create(account=installed, user=other, role=role)
    with pytest.raises(PermissionDenied):
        buy(installed, other, seats=1)
    assert held(installed).seats == 0
    assert Refusal.objects.get().rule == "permission_denied"


def test_a_confirmation_of_something_else_is_stale(installed: Account, owner: User) -> None:
    wanted = replace(held(installed), seats=1)
    with pytest.raises(ValidationError) as refusal:
        change_subscription(installed, wanted, by=owner, confirmation=Confirmation(uuid4(), "made from other facts"))
    assert codes(refusal.value) == {("__all__", "stale")}
    assert held(installed).seats == 0
