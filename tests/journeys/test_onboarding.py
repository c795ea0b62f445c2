"""The onboarding of an account in a real browser: the customer, the Onboarding team, and the customer again."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from accounts.models import Account, PhoneNumber, ServiceUser, User
from onboarding.models import Onboarding
from onboarding.rules import SEAT_LIMIT
from subscriptions.actions import install
from subscriptions.catalogue import contact_center_of
from tests.conftest import PASSWORD
from tests.journeys.looking import look

Visit = Callable[..., Page]


@pytest.fixture
def visit(browser: Browser, live_server: Any) -> Iterator[Visit]:
    """Return a function that opens a page as a user, in a separate browser context."""
    contexts = []

    def open_as(user: User, path: str = "/", **options: Any) -> Page:
        context = browser.new_context(base_url=live_server.url, **options)
        contexts.append(context)
        page = context.new_page()
        page.goto(path)
        page.get_by_label("Email").fill(user.email)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Log in").click()
        return page

    yield open_as
    for context in contexts:
        context.close()


@pytest.mark.parametrize("javascript", [True, False], ids=["with-scripts", "without"])
def test_from_install_to_live(
    visit: Visit, account: Account, owner: User, member: User, catalogue: None, javascript: bool
) -> None:
    customer = visit(owner, java_script_enabled=javascript)
    customer.get_by_role("link", name="Install Contact Center").click()
    customer.get_by_label("Contact Center Pro").check()
    customer.get_by_label("Install Contact Center on this account").check()
    customer.get_by_role("button", name="Install").click()
    banner = customer.get_by_role("status").filter(has_text="Onboarding mode is on")
    expect(banner).to_be_visible()

    seats = customer.get_by_label("Concurrent-user seats")
    seats.fill(str(SEAT_LIMIT + 1))
    customer.get_by_role("button", name="Save changes").click()
    expect(customer.get_by_text(f"it can hold at most {SEAT_LIMIT} concurrent-user seats")).to_be_visible()
    expect(seats).to_have_value(str(SEAT_LIMIT + 1))
    expect(customer.get_by_label("500 minutes", exact=False).first).to_be_disabled()

    seats.fill("2")
    customer.get_by_label("Chat").check()
    customer.get_by_role("button", name="Save changes").click()
    expect(customer.get_by_role("row", name=re.compile(r"Seats .* 0 2 .*\$0\.00"))).to_contain_text("$140.00")
    customer.get_by_role("button", name="Confirm").click()
    expect(customer.get_by_text("Your subscription was changed.")).to_be_visible()
    expect(seats).to_have_value("2")

    banner.get_by_role("link", name="Go live").click()
    customer.get_by_label("Anything the Onboarding team should know").fill("We open on Monday.")
    customer.get_by_role("button", name="Ask the Onboarding team").click()
    expect(customer.get_by_text("Waiting for the Onboarding team")).to_be_visible()

    team = visit(member, "/admin/onboarding/onboarding/")
    team.get_by_role("link", name=re.compile("100001")).first.click()
    team.get_by_role("link", name=re.compile("Activate")).first.click()
    expect(team.get_by_text("Acme Support").first).to_be_visible()
    expect(team.get_by_text("can’t be undone").first).to_be_visible()
    team.get_by_label("Activate Acme Support 100001 anyway").check()
    team.get_by_label("Reason").fill("The customer asked for it")
    team.get_by_role("button", name=re.compile("Activate")).click()
    expect(team.get_by_text(re.compile("100001.* is active. Full charges")).first).to_be_visible()
    assert Onboarding.objects.get(account=account).activated_by == member

    customer.reload()
    expect(banner).to_have_count(0)
    expect(customer.get_by_text("Your account is live")).to_be_visible()
    customer.get_by_role("link", name="Subscription").first.click()
    seats.fill("25")
    customer.get_by_label("2,500 minutes").check()
    customer.get_by_role("button", name="Save changes").click()
    customer.get_by_role("button", name="Confirm").click()
    expect(seats).to_have_value("25")
    center = contact_center_of(account)
    assert (center.seats, center.package.sku) == (25, "tf-2500")


@pytest.fixture
def furnished(account: Account, owner: User, catalogue: None) -> Account:
    """An account in onboarding with people and numbers."""
    install(account, edition="cc-pro", by=owner)
    ServiceUser.objects.create(account=account, name="Ann Agent", email="ann@example.com", contact_center_role="agent")
    ServiceUser.objects.create(account=account, name="Ben Baker", email="ben@example.com")
    PhoneNumber.objects.create(account=account, number="+18005550100")
    PhoneNumber.objects.create(account=account, number="+12125550123")
    return account


PATHS = [
    "",
    "contact-center/subscription/",
    "contact-center/users/",
    "contact-center/phone-numbers/",
    "contact-center/go-live/",
]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 390])
def test_every_page_is_accessible_and_fits(
    visit: Visit, furnished: Account, owner: User, scheme: str, width: int
) -> None:
    page = visit(owner, color_scheme=scheme, viewport={"width": width, "height": 900})
    for path in PATHS:
        page.goto(f"/accounts/100001/{path}")
        look(page)
    page.goto("/accounts/100001/contact-center/subscription/")
    page.get_by_label("Concurrent-user seats").fill("3")
    page.get_by_role("button", name="Save changes").click()
    look(page)
    page.get_by_label("Concurrent-user seats").fill("1")
    page.get_by_role("button", name="Save changes").click()
    look(page)


def test_log_in_and_its_relatives_are_accessible(visit: Visit, page: Page, live_server: Any, owner: User) -> None:
    for path in ("/login/", "/login/password/reset/", "/login/password/reset/done/", "/nowhere/"):
        page.goto(live_server.url + path)
        look(page)


def test_everything_works_without_javascript_and_by_keyboard(visit: Visit, furnished: Account, owner: User) -> None:
    page = visit(owner, "/accounts/100001/contact-center/users/", java_script_enabled=False)
    expect(page.get_by_role("heading", name="Contact Center", exact=True)).to_be_visible()
    page.bring_to_front()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
    ben = page.get_by_label("Tick Ben Baker")
    ben.focus()
    page.keyboard.press("Space")
    page.get_by_label("Role for the ticked people").select_option("Team Leader")
    page.get_by_role("button", name="Apply").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("row", name=re.compile("Ben Baker.*Team Leader"))).to_be_visible()
    page.get_by_role("link", name="Phone Numbers").click()
    page.get_by_role("button", name="Assign (800) 555-0100", exact=True).click()
    expect(page.get_by_text("is assigned to Contact Center now")).to_be_visible()
