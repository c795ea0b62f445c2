"""Concurrent activations, in real transactions."""

from collections import Counter
from collections.abc import Callable
from threading import Barrier
from typing import Any

import pytest

from accounts.models import Account, AccountQuerySet, Refusal, User
from core.refusals import AlreadyDone
from onboarding import rules
from onboarding.actions import activate, activate_many
from onboarding.activating import Activations
from onboarding.models import Onboarding
from tests.conftest import INSTALLED
from tests.racing import at_once

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def waiting(make_account: Callable[..., Account], owner: User) -> list[Account]:
    """Six accounts in onboarding."""
    accounts = [make_account(f"2000{number:02}", owner=owner) for number in range(6)]
    for account in accounts:
        Onboarding.objects.create(account=account, started_at=INSTALLED)
    return accounts


def test_of_two_who_activate_at_once_one_does_and_the_other_is_told(waiting: list[Account], member: User) -> None:
    account = waiting[0]
    outcomes = at_once(2, lambda number: activate(account, by=member, reason=f"By thread {number}"))
    assert Counter(type(outcome) for outcome in outcomes) == {Onboarding: 1, AlreadyDone: 1}
    onboarding = Onboarding.objects.get(account=account)
    [winner] = [outcome for outcome in outcomes if isinstance(outcome, Onboarding)]
    assert (onboarding.reason, onboarding.activated_at) == (winner.reason, winner.activated_at)
    assert onboarding.history.filter(history_type="~").count() == 1
    assert not Refusal.objects.exists()


def test_control_without_the_lock_both_pass_the_check_and_one_is_told_a_lie(
    waiting: list[Account], member: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    account, both_checked = waiting[0], Barrier(2)
    check = rules.activation_refusal

    def check_together(onboarding: Onboarding) -> Any:
        refusal = check(onboarding)
        both_checked.wait(timeout=60)
        return refusal

    monkeypatch.setattr(AccountQuerySet, "locked", lambda accounts: accounts.order_by("pk"))
    monkeypatch.setattr(rules, "activation_refusal", check_together)
    outcomes = at_once(2, lambda number: activate(account, by=member, reason=f"By thread {number}"))
    # Both return as if they had activated it, but the condition in the UPDATE let only one of them write.
    assert Counter(type(outcome) for outcome in outcomes) == {Onboarding: 2}
    assert Onboarding.objects.get(account=account).history.filter(history_type="~").count() == 1


def test_batches_over_the_same_accounts_activate_each_once_and_never_deadlock(
    waiting: list[Account], member: User
) -> None:
    keys = [account.pk for account in waiting]

    def batch(number: int) -> list[Activations]:
        ordered = keys if number % 2 else keys[::-1]
        return list(activate_many(ordered, by=member, reason="Ready", chunk=4))

    outcomes = at_once(8, batch)
    done = [chunk for outcome in outcomes if isinstance(outcome, list) for chunk in outcome]
    assert len(done) == 16
    assert sorted(key for chunk in done for key in chunk.activated) == sorted(keys)
    told = [text for chunk in done for text in chunk.refused.values()]
    assert len(told) == 7 * len(keys)
    assert all("is already active since" in text for text in told)
    assert Onboarding.history.filter(history_type="~").count() == len(keys)
