"""Fixtures: the provider's staff and a customer, set up through the actions."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError

from accounts.models import Account, Contact, PhoneNumber, Role, User
from core.groups import BILLING_TEAM, ONBOARDING_TEAM, SUPPORT
from core.refusals import reasons_of
from onboarding.actions import activate
from subscriptions.actions import install
from subscriptions.catalogue import load_catalogue
from subscriptions.models import Item, Price

CASES = Path(__file__).parent / "cases"
INSTALLED = datetime(2026, 3, 5, 15, tzinfo=UTC)
PASSWORD = "correct horse battery"


@pytest.fixture(autouse=True)
def fast_passwords(settings: Any) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@cache
def catalogue_content() -> Any:
    return json.loads((CASES / "catalogue.json").read_text())


CATALOGUE_MODELS: list[Any] = [Item, Price, Item.history.model, Price.history.model]
loaded: list[list[Any]] = []


@pytest.fixture
def catalogue(db: None) -> None:
    """The catalog of the worked bills. The first test loads it; later ones insert the same rows, which is faster."""
    if loaded:
        for model, rows in zip(CATALOGUE_MODELS, loaded, strict=True):
            model._base_manager.bulk_create(rows)
        return
    load_catalogue(catalogue_content())
    loaded.extend(list(model._base_manager.all()) for model in CATALOGUE_MODELS)


@pytest.fixture
def make_user(db: None) -> Callable[..., User]:
    def make(email: str, **fields: object) -> User:
        return User.objects.create_user(email, PASSWORD, **fields)

    return make


@pytest.fixture
def make_account(make_user: Callable[..., User]) -> Callable[..., Account]:
    def make(number: str, *, owner: User | None = None, **fields: object) -> Account:
        account = Account.objects.create(
            number=number, **{"company": f"Company {number}", "timezone": "America/New_York", **fields}
        )
        Contact.objects.create(account=account, user=owner or make_user(f"owner{number}@example.com"), role=Role.OWNER)
        return account

    return make


@pytest.fixture
def owner(make_user: Callable[..., User]) -> User:
    return make_user("olivia@example.com", first_name="Olivia", last_name="Owner")


@pytest.fixture
def account(make_account: Callable[..., Account], owner: User) -> Account:
    return make_account("100001", owner=owner, company="Acme Support")


@pytest.fixture
def installed(account: Account, owner: User, catalogue: None) -> Account:
    """An account in onboarding, with Contact Center Pro since March 5, 2026."""
    install(account, edition="cc-pro", by=owner, now=INSTALLED)
    return account


def _staff(make_user: Callable[..., User], email: str, group: str) -> User:
    user = make_user(email, is_staff=True)
    user.groups.add(Group.objects.get(name=group))
    return user


@pytest.fixture
def member(make_user: Callable[..., User]) -> User:
    """A member of the Onboarding team."""
    return _staff(make_user, "tom@example.com", ONBOARDING_TEAM)


@pytest.fixture
def biller(make_user: Callable[..., User]) -> User:
    """A member of the Billing team."""
    return _staff(make_user, "bea@example.com", BILLING_TEAM)


@pytest.fixture
def supporter(make_user: Callable[..., User]) -> User:
    """A member of Support, who may only view."""
    return _staff(make_user, "sam@example.com", SUPPORT)


@pytest.fixture
def active(installed: Account, member: User) -> Account:
    """An account that was activated on March 16, 2026."""
    activate(installed, by=member, reason="Ready", now=datetime(2026, 3, 16, 12, tzinfo=UTC))
    return installed


@pytest.fixture
def toll_free(account: Account) -> PhoneNumber:
    return PhoneNumber.objects.create(account=account, number="+18005550100")


def codes(refusal: ValidationError) -> set[tuple[str, str | None]]:
    """Return (field, code) for each reason of a refusal."""
    return {(field, reason.code) for field, reason in reasons_of(refusal)}
