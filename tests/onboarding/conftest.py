"""Fixtures for tests of the Onboarding team's pages."""

from collections.abc import Callable
from datetime import datetime

import pytest
from django.test import Client

from accounts.models import Account, User
from subscriptions.actions import install
from tests.conftest import INSTALLED
from tests.remembering import remember


@pytest.fixture
def make_installed(make_account: Callable[..., Account], owner: User, catalogue: None) -> Callable[..., Account]:
    """Return a function that makes an account with Contact Center, in onboarding."""

    def make(number: str, *, now: datetime = INSTALLED, edition: str = "cc-pro", **fields: object) -> Account:
        account = make_account(number, owner=fields.pop("owner", owner), **fields)
        install(account, edition=edition, by=owner, now=now)
        return account

    def usual(number: str, **fields: object) -> Account:
        if fields:
            return make(number, **fields)
        return remember(f"installed {number}", lambda: make(number), {"owner": owner})

    return usual


@pytest.fixture
def team(member: User, client: Client) -> Client:
    """A client in which a member of the Onboarding team is logged in."""
    client.force_login(member)
    return client
