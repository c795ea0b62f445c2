"""Every page for customers takes a fixed number of queries, regardless of how much it shows."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from accounts.actions import add_service_user
from accounts.models import Account, Contact, PhoneNumber, Role, User
from core.clock import database_now
from onboarding.actions import activate, answer_go_live, request_go_live
from subscriptions.actions import assign_number, assign_users, install
from tests.billing.bills import ACTIVATED, APRIL, BOUGHT, IN_APRIL, IN_MAY, MARCH, bill, buy, called, number_of
from tests.conftest import INSTALLED

ACCOUNT = "/accounts/100001/"
CENTER, BILLING, LOG = ACCOUNT + "contact-center/", ACCOUNT + "billing/", ACCOUNT + "audit-log/"

# Queries of each page for an active account. Change a number only deliberately.
PAGES = {
    "/": 4,
    ACCOUNT: 7,
    CENTER: 20,
    CENTER + "subscription/": 14,
    CENTER + "users/": 10,
    CENTER + "users/?q=person&show=with": 10,
    CENTER + "users/import/": 6,
    CENTER + "phone-numbers/": 10,
    CENTER + "phone-numbers/?q=212": 10,
    CENTER + "go-live/": 11,
    BILLING: 27,
    BILLING + "invoices/": 7,
    BILLING + "invoices/1/": 9,
    BILLING + "usage/?month=2026-03": 7,
    BILLING + "usage/csv/?month=2026-03": 6,
    LOG: 7,
    LOG + "?kind=users": 7,
    LOG + "csv/": 6,
    "/login/you/": 5,
}
# The same for an account in onboarding, on pages that differ because of the banner, the limits or the checklist.
IN_ONBOARDING = {
    ACCOUNT: 7,
    CENTER: 20,
    CENTER + "subscription/": 14,
    CENTER + "go-live/": 22,
    BILLING: 21,
}


@pytest.fixture
def visitor(owner: User) -> Client:
    """A client in which the owner is logged in."""
    client = Client()
    client.force_login(owner)
    return client


@pytest.fixture
def small(account: Account, owner: User, make_account: Callable[..., Account], catalogue: None) -> Account:
    """An account with Contact Center and one of everything that pages list; its owner has another account too."""
    make_account("100002", owner=owner)
    install(account, edition="cc-pro", by=owner, now=INSTALLED)
    number_of(account, "+18005550100", by=owner)
    PhoneNumber.objects.create(account=account, number="+12125550100")
    person = add_service_user(account, name="Person", email="person@example.com", by=owner)
    assign_users(account, {person.pk: "agent"}, by=owner)
    called("march", minutes=3)
    return account


def grow(account: Account, owner: User, make_account: Callable[..., Account], make_user: Callable[..., User]) -> None:
    """Give the account and its owner more of everything that pages list."""
    people = [add_service_user(account, name=f"Person {i}", email=f"p{i}@example.com", by=owner) for i in range(30)]
    assign_users(account, {person.pk: "agent" for person in people[:20]}, by=owner)
    for i in range(30):
        number = PhoneNumber.objects.create(account=account, number=f"+1212555{1000 + i}")
        if i < 10:
            assign_number(account, number, by=owner)
    for i in range(3):
        make_account(f"10001{i}", owner=owner)
        Contact.objects.create(account=account, user=make_user(f"viewer{i}@example.com"), role=Role.VIEWER)
    called(*(f"more-{i}" for i in range(20)), minutes=7)


def counted(client: Client, pages: Any, django_assert_max_num_queries: Any) -> dict[str, int]:
    """Return the number of queries of each page, and assert that each page can be shown."""
    counts = {}
    for path in pages:
        client.get(path)
        with django_assert_max_num_queries(40) as queries:
            answer = client.get(path)
            if answer.streaming:
                b"".join(answer)
        assert answer.status_code == 200, path
        counts[path] = len(queries)
    return counts


def test_a_live_account(
    small: Account, owner: User, member: User, visitor: Client, make_account: Any, make_user: Any,
    django_assert_max_num_queries: Any,
) -> None:  # fmt: skip
    activate(small, by=member, reason="Ready", now=ACTIVATED)
    buy(small, owner, now=BOUGHT, seats=2)
    bill(MARCH, IN_APRIL)
    called("late")  # a month with late calls takes extra queries, however many calls are late
    few = counted(visitor, PAGES, django_assert_max_num_queries)
    grow(small, owner, make_account, make_user)
    buy(small, owner, now=IN_APRIL, seats=9, addons=frozenset({"addon-crm", "addon-wfm", "addon-screen"}))
    called("april", minutes=3, at="2026-04-03T12:00:00-04:00")
    bill(APRIL, IN_MAY)
    called("later")  # so the month that this bill settled is a late month again
    many = counted(visitor, PAGES, django_assert_max_num_queries)
    assert many == few
    assert few == PAGES


def test_an_account_in_onboarding(
    small: Account, owner: User, member: User, visitor: Client, make_account: Any, make_user: Any,
    django_assert_max_num_queries: Any,
) -> None:  # fmt: skip
    request_go_live(small, wanted_on=small.day_of(database_now()) + timedelta(days=4), note="", by=owner)
    answer_go_live(small, answer="Not yet", by=member)
    few = counted(visitor, IN_ONBOARDING, django_assert_max_num_queries)
    grow(small, owner, make_account, make_user)
    buy(small, owner, now=database_now(), seats=2, addons=frozenset({"addon-crm", "addon-wfm", "addon-screen"}))
    for days in range(5, 9):
        request_go_live(small, wanted_on=small.day_of(database_now()) + timedelta(days=days), note="", by=owner)
        answer_go_live(small, answer=f"Not yet {days}", by=member)
    many = counted(visitor, IN_ONBOARDING, django_assert_max_num_queries)
    assert many == few
    assert few == IN_ONBOARDING
