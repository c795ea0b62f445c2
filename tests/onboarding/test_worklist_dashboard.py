"""The admin's dashboard: what each group sees, numbers that match the lists they link to, and few queries."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from accounts.models import Account, User
from billing.models import BillOnHold, BillRun
from core.clock import database_now
from onboarding.actions import activate, request_go_live, set_deadline
from onboarding.dashboard import figures
from onboarding.models import Onboarding
from tests.billing.bills import IN_APRIL, MARCH
from tests.onboarding.worklist import Make, days_ago, listed, of, page, text_of
from tests.remembering import remembered

QUERIES = 13  # three of them for the badges of the sidebar


@pytest.fixture
def sixty_days(settings: Any) -> None:
    settings.ONBOARDING_DEADLINE_DAYS = 60


@pytest.fixture
@remembered
def some(make_installed: Make, owner: User, member: User, sixty_days: None) -> dict[int, Account]:
    """Accounts by age in days: one has asked to go live, and two have custom deadlines. Two more are active."""
    ages = (0, 14, 15, 30, 31, 45, 46, 55, 61, 75)
    accounts = {age: make_installed(str(400000 + age), now=days_ago(age + 0.4)) for age in ages}
    request_go_live(accounts[14], wanted_on=accounts[14].day_of(database_now()) + timedelta(days=1), by=owner)
    today = accounts[30].day_of(database_now())
    set_deadline(accounts[30], on=today + timedelta(days=7), reason="Agreed", by=member)
    set_deadline(accounts[61], on=today + timedelta(days=8), reason="Agreed", by=member)
    for number, days in (("500001", 0), ("500002", 20)):
        live = make_installed(number, now=days_ago(90))
        activate(live, by=member, reason="Ready", now=days_ago(days))
    return accounts


def linked(client: Client) -> list[tuple[int, str]]:
    """Return each number of the dashboard that links to the worklist, as (number, query string)."""
    html = client.get("/admin/").content.decode()
    found = re.findall(
        r'<a class="[a-z ]+" href="/admin/onboarding/onboarding/(?:\?([^"]*))?"[^>]*>(?:<b[^>]*>)?([\d,]+)<', html
    )
    return [(int(number.replace(",", "")), query.replace("&amp;", "&")) for query, number in found]


def test_every_number_is_that_of_the_list_it_links_to(some: dict[int, Account], team: Client) -> None:
    numbers = linked(team)
    assert len(numbers) == 5 + 5 + 12
    for number, query in numbers:
        assert len(listed(team, query)) == number, query


def test_the_figures(some: dict[int, Account]) -> None:
    now = database_now()
    found = figures(now)
    assert (found.in_onboarding, found.overdue, found.due_soon, found.asked) == (10, 1, 2, 1)
    assert (
        found.activated == Onboarding.objects.filter(activated_at__month=now.month, activated_at__year=now.year).count()
    )
    assert [bar.count for bar in found.ages] == [2, 2, 2, 2, 2]
    assert sum(bar.count for bar in found.weeks) == 2
    assert found.weeks[-1].count >= 1
    assert found.weeks[-1].length == 100


def test_the_most_urgent_come_first(some: dict[int, Account], team: Client) -> None:
    order = [row.account for row in figures(database_now()).urgent]
    assert order[:4] == [some[75], some[14], some[55], some[30]]
    assert len(order) == 10
    text = text_of(team.get("/admin/"))
    overdue = some[75].day_of(database_now()) - some[75].day_of(of(some[75]).started_at) - timedelta(days=60)
    for said in (f"{overdue.days} days overdue", "asks for", page(some[75]), "nobody"):
        assert said in text


def test_without_a_policy_what_customers_ask_for_comes_first_and_then_the_oldest(
    some: dict[int, Account], settings: Any
) -> None:
    settings.ONBOARDING_DEADLINE_DAYS = 0
    found = figures(database_now())
    assert (found.overdue, found.due_soon) == (0, 1)
    assert [row.account for row in found.urgent][:4] == [some[14], some[30], some[61], some[75]]


@pytest.mark.parametrize(
    ("who", "onboarding", "billing"),
    [("member", True, False), ("biller", False, True), ("supporter", True, True), ("root", True, True)],
)
def test_each_group_sees_its_own(
    who: str,
    onboarding: bool,
    billing: bool,
    installed: Account,
    make_user: Callable[..., User],
    client: Client,
    request: pytest.FixtureRequest,
) -> None:
    user = (
        make_user("root@example.com", is_staff=True, is_superuser=True)
        if who == "root"
        else request.getfixturevalue(who)
    )
    client.force_login(user)
    text = text_of(client.get("/admin/"))
    assert ("The most urgent" in text) == onboarding
    assert ("Last bill run" in text) == billing


def test_staff_who_may_see_nothing_get_a_page_all_the_same(make_user: Callable[..., User], client: Client) -> None:
    client.force_login(make_user("new@example.com", is_staff=True))
    text = text_of(client.get("/admin/"))
    assert "The most urgent" not in text
    assert "Last bill run" not in text


def test_the_billing_team_sees_what_waits_for_it(active: Account, biller: User, client: Client) -> None:
    client.force_login(biller)
    assert "No month was billed yet." in text_of(client.get("/admin/"))
    BillRun.objects.create(month=MARCH, started_at=IN_APRIL, accounts=7, invoices=3, total=12, failed=2, on_hold=1)
    BillOnHold.objects.create(account=active, month=MARCH, total=1, why="Out of line.", held_at=IN_APRIL)
    text = text_of(client.get("/admin/"))
    for said in (
        ">1</b>bill held",
        ">2</b>failed in the last run",
        ">0</b>unmatched calls",
        "March 2026",
        "3 over $12.00",
        "Stopped",
    ):
        assert said in text, said
    for address in re.findall(r'class="figure" href="([^"]+)"', text):
        assert client.get(address).status_code == 200, address
    held = client.get("/admin/billing/billonhold/?state__exact=held")
    assert held.context["cl"].result_count == 1


def test_its_queries_are_few_however_many_accounts(
    make_installed: Make, team: Client, django_assert_num_queries: Any, settings: Any
) -> None:
    settings.ONBOARDING_DEADLINE_DAYS = 60
    for count in (10, 50):
        for number in range(count):
            make_installed(str(600000 + count * 100 + number), now=days_ago(number))
        with django_assert_num_queries(QUERIES):
            team.get("/admin/")
    assert figures(database_now()).in_onboarding == 60
