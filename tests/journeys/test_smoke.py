"""The browser, the live server and the database work together."""

import re
from collections.abc import Callable

from django.contrib.auth.models import Group
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from accounts.models import User
from core.groups import BILLING_TEAM, ONBOARDING_TEAM, SUPPORT
from subscriptions.models import Item
from tests.conftest import PASSWORD

E_MAIL = re.compile("e-?mail", re.IGNORECASE)


def test_the_administrator_finds_his_log_in(live_server: LiveServer, page: Page) -> None:
    page.goto(f"{live_server.url}/admin/")
    expect(page.get_by_label(E_MAIL)).to_be_visible()
    expect(page.get_by_role("button", name="Log in")).to_be_visible()


def test_the_administrator_logs_in(live_server: LiveServer, page: Page, make_user: Callable[..., User]) -> None:
    make_user("ada@example.com", is_staff=True, is_superuser=True)
    page.goto(f"{live_server.url}/admin/")
    page.get_by_label(E_MAIL).fill("ada@example.com")
    page.get_by_label("password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("heading", name="The most urgent")).to_be_visible()


def test_each_journey_starts_with_groups_and_a_catalogue() -> None:
    assert set(Group.objects.values_list("name", flat=True)) == {BILLING_TEAM, ONBOARDING_TEAM, SUPPORT}
    assert Item.objects.exists()
    assert not User.objects.exists()
