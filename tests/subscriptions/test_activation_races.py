"""Purchases, installations and activations of one account at once; each race also without the lock, as a control."""

from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from importlib import import_module
from threading import Barrier
from typing import Any
from uuid import uuid4

import pytest
from django.core.exceptions import ValidationError

from accounts.models import Account, AccountQuerySet, User
from onboarding import activating
from onboarding.actions import activate
from onboarding.models import Onboarding
from subscriptions.actions import change_subscription, install, propose_subscription
from subscriptions.catalogue import catalogue_on, contact_center_of, held_by
from subscriptions.changing import Confirmation
from subscriptions.models import ContactCenter, SubscriptionChange
from subscriptions.rules import Subscription
from subscriptions.writing import write_change
from tests.conftest import INSTALLED, codes
from tests.racing import at_once, one_after_the_other, overlap

pytestmark = pytest.mark.django_db(transaction=True)
BEFORE_MIDNIGHT = datetime(2026, 3, 17, 3, 59, tzinfo=UTC)  # March 16 in New York
AFTER_MIDNIGHT = datetime(2026, 3, 17, 4, 1, tzinfo=UTC)


@pytest.fixture(params=[True, False], ids=["locked", "control"])
def locked(request: Any, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Whether actions lock the account; without the lock, the race does what it is for."""
    if not request.param:
        monkeypatch.setattr(AccountQuerySet, "locked", lambda accounts: accounts.order_by("pk"))
    return bool(request.param)


def two_seats(account: Account) -> Subscription:
    return replace(held_by(contact_center_of(account)), seats=2)


def test_what_was_confirmed_before_an_activation_is_not_bought_after_it(
    installed: Account, owner: User, member: User, monkeypatch: pytest.MonkeyPatch, locked: bool
) -> None:
    """The page promised days free of charge. The control reads the mode as it was, and buys what is charged."""
    wanted = two_seats(installed)
    shown = propose_subscription(installed, wanted, by=owner).confirmation_digest
    activation, purchase = overlap(
        monkeypatch,
        (activating, "after activation"),
        lambda: activate(installed, by=member, reason="Ready"),
        lambda: change_subscription(installed, wanted, by=owner, confirmation=Confirmation(uuid4(), shown)),
    )
    assert activation.result().activated_at
    if locked:
        assert codes(purchase.exception()) == {("__all__", "stale")}
        assert ContactCenter.objects.get().seats == 0
    else:
        assert purchase.result().at > activation.result().activated_at
        assert ContactCenter.objects.get().seats == 2


def test_an_activation_waits_for_a_purchase(
    installed: Account, owner: User, member: User, monkeypatch: pytest.MonkeyPatch, locked: bool
) -> None:
    """The purchase is decided before midnight. In the control it comes after the activation, and its day is refused."""
    module, buying = import_module("subscriptions.actions.change_subscription"), Barrier(2)

    def write_late(*args: Any, **kwargs: Any) -> SubscriptionChange:
        buying.wait(30)
        if not locked:
            buying.wait(30)  # until the activation is done
        return write_change(*args, **kwargs)

    def activate_meanwhile() -> Onboarding:
        buying.wait(30)
        done = activate(installed, by=member, reason="Ready", now=AFTER_MIDNIGHT)
        if not locked:
            buying.wait(30)
        return done

    monkeypatch.setattr(module, "write_change", write_late)
    purchase = partial(change_subscription, installed, two_seats(installed), by=owner, now=BEFORE_MIDNIGHT)
    bought, activated = at_once(2, lambda number: activate_meanwhile() if number else purchase())
    assert isinstance(activated, Onboarding), activated
    if locked:
        assert isinstance(bought, SubscriptionChange), bought
        assert (bought.version, ContactCenter.objects.get().seats) == (1, 2)
    else:
        assert codes(bought) == {("__all__", "change_day_is_decided")}  # type: ignore[arg-type]
        assert ContactCenter.objects.get().seats == 0


def test_an_activation_waits_for_the_installation(
    account: Account, owner: User, member: User, catalogue: None, locked: bool
) -> None:
    """The control says that Contact Center isn't installed, when it is."""
    outcome, waited = one_after_the_other(
        lambda: install(account, edition="cc-pro", by=owner, now=INSTALLED),
        lambda: activate(account, by=member, reason="Ready"),
    )
    assert waited is locked
    if locked:
        assert outcome.activated_at
    else:
        assert codes(outcome) == {("__all__", "not_installed")}
    assert Onboarding.objects.get().is_active is locked


def test_of_two_who_install_one_does_and_the_other_is_told(
    account: Account, owner: User, catalogue: None, monkeypatch: pytest.MonkeyPatch, locked: bool
) -> None:
    """In the control both find nothing installed, and a unique key stops one."""
    both = Barrier(2)

    def look_together(*args: Any) -> Any:
        if not locked:
            both.wait(30)
        return catalogue_on(*args)

    monkeypatch.setattr(import_module("subscriptions.actions.install"), "catalogue_on", look_together)
    outcomes = at_once(2, lambda _: install(account, edition="cc-pro", by=owner, now=INSTALLED))
    [refusal] = [one for one in outcomes if not isinstance(one, ContactCenter)]
    if locked:
        assert isinstance(refusal, ValidationError), refusal
        assert codes(refusal) == {("__all__", "already_installed")}
    else:
        assert "already exists" in str(refusal)
    assert (ContactCenter.objects.count(), Onboarding.objects.count()) == (1, 1)
    assert SubscriptionChange.objects.get().version == 0
