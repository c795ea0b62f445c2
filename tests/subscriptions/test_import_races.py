"""The same preview confirmed many times at once, in real transactions; a control shows that the race exists (I14)."""

from collections import Counter
from uuid import uuid4

import pytest
from django.core.exceptions import ValidationError

from accounts.models import Account, AccountQuerySet, ServiceUser, User
from subscriptions.actions import import_people
from subscriptions.people_file import Person
from tests.racing import at_once

pytestmark = pytest.mark.django_db(transaction=True)
MANY = 10
PEOPLE = [Person(line, f"P {line}", f"p{line}@example.com", "agent") for line in range(2, 52)]


def outcomes(account: Account, by: User) -> Counter[str | None]:
    """Return how often each outcome happened: the code of a refusal, or `list` if people were added."""
    key = uuid4()
    found = at_once(MANY, lambda _: import_people(account, PEOPLE, key=key, by=by))
    return Counter(each.code if isinstance(each, ValidationError) else type(each).__name__ for each in found)


def test_one_of_many_confirmations_adds_the_people(installed: Account, owner: User) -> None:
    assert outcomes(installed, owner) == {"list": 1, "already_imported": MANY - 1}
    assert (ServiceUser.objects.count(), ServiceUser.history.count()) == (len(PEOPLE), len(PEOPLE))


def test_control_without_the_lock_the_others_are_told_by_the_database(
    installed: Account, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(AccountQuerySet, "locked", lambda accounts: accounts.order_by("pk"))
    found = outcomes(installed, owner)
    assert found["list"] == 1
    assert found["service_user_email_once_per_account"] > 0
    assert (ServiceUser.objects.count(), ServiceUser.history.count()) == (len(PEOPLE), len(PEOPLE))
