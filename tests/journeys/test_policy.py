"""In a real browser, no page contains anything that its CSP blocks: customers' pages, login, and the admin."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from accounts.models import Account, PhoneNumber, User
from subscriptions.actions import assign_number
from tests.conftest import PASSWORD

CENTER = "/accounts/100001/contact-center/"
BILLING = "/accounts/100001/billing/"
CUSTOMERS = [
    "/accounts/100001/",
    *(CENTER + tab for tab in ("subscription/", "users/", "phone-numbers/", "go-live/")),
    *(BILLING + tab for tab in ("", "invoices/", "usage/")),
    *("/login/" + path for path in ("you/", "password/change/", "reauthenticate/")),
]
LOGIN_PAGES = ["/login/", "/login/password/reset/", "/login/password/reset/done/", "/nowhere/"]
ADMIN = ["/admin/"] + [
    f"/admin/{path}/"
    for path in (
        "onboarding/onboarding",
        "onboarding/goliverequest",
        "accounts/account",
        "accounts/account/add",
        "accounts/user",
        "accounts/user/add",
        "accounts/refusal",
        "subscriptions/contactcenter",
        "subscriptions/item",
        "billing/invoice",
        "billing/billrun",
        "billing/callimport",
    )
]


@pytest.fixture
def watched(page: Page, live_server: Any) -> Iterator[Page]:
    """A window that fails the test if anything is blocked, missing or from another host, or if a script fails."""
    seen: list[str] = []
    page.on("console", lambda said: seen.append(f"{page.url}: {said.text}") if said.type == "error" else None)
    page.on("pageerror", lambda error: seen.append(f"{page.url}: {error}"))
    # A request that was aborted by opening the next page is not a failure.
    page.on(
        "requestfailed",
        lambda request: seen.append(request.url) if request.failure != "net::ERR_ABORTED" else None,
    )
    page.on(
        "request",
        lambda request: seen.append(request.url) if not request.url.startswith((live_server.url, "data:")) else None,
    )
    yield page
    assert [line for line in seen if "/nowhere/" not in line] == []


def log_in(page: Page, url: str, user: User) -> None:
    page.goto(f"{url}/login/")
    page.get_by_label("Email").fill(user.email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("button", name="Log in")).to_have_count(0)


def test_before_log_in(watched: Page, live_server: Any) -> None:
    for path in LOGIN_PAGES:
        watched.goto(live_server.url + path)
        expect(watched.get_by_role("heading", level=1)).to_be_visible()


def test_customers_pages(watched: Page, live_server: Any, active: Account, owner: User) -> None:
    log_in(watched, live_server.url, owner)
    for path in CUSTOMERS:
        watched.goto(live_server.url + path)
        expect(watched.get_by_role("heading", level=1)).to_be_visible()


def test_the_admins_main_pages(
    watched: Page, live_server: Any, installed: Account, owner: User, toll_free: PhoneNumber, make_user: Any
) -> None:
    assign_number(installed, toll_free, by=owner)
    log_in(watched, live_server.url, make_user("root@example.com", is_staff=True, is_superuser=True))
    paths = [*ADMIN, f"/admin/accounts/account/{installed.pk}/change/", f"/admin/accounts/user/{owner.pk}/history/"]
    for path in paths:
        watched.goto(live_server.url + path)
        expect(watched.locator("#content, #main").first).to_be_visible()


def test_what_is_inline_is_blocked_and_would_be_seen(page: Page, live_server: Any) -> None:
    seen: list[str] = []
    page.on("console", lambda said: seen.append(said.text) if said.type == "error" else None)
    page.goto(f"{live_server.url}/login/")
    page.evaluate("document.body.append(Object.assign(document.createElement('script'), { text: 'window.ran = 1' }))")
    assert page.evaluate("window.ran") is None
    assert any("Content Security Policy" in text for text in seen)
