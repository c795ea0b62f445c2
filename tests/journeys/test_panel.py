"""HostPilot's pages in a real browser.

In each state they are accessible, fit the window and don't shift. The new total appears automatically, or with a button
if there is no JavaScript. The size of a first visit is limited.
"""

import gzip
import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Response, expect
from pytest_django.live_server_helper import LiveServer

from accounts.actions import add_service_user
from accounts.models import Account, PhoneNumber, User
from billing.actions import run_bills
from billing.runs.run import last_ended_month
from core.clock import database_now
from onboarding.actions import activate
from subscriptions.actions import assign_number, install
from tests.billing.bills import buy, called
from tests.conftest import PASSWORD
from tests.journeys.looking import LOOKS, look, open_all

ACCOUNT = "/accounts/100001/"
CENTER = ACCOUNT + "contact-center/"
SUBSCRIPTION = CENTER + "subscription/"
BILLING = ACCOUNT + "billing/"
MAIN_PAGES = [
    ACCOUNT,
    CENTER,
    SUBSCRIPTION,
    *(CENTER + tab for tab in ("users/", "phone-numbers/", "go-live/")),
    *(BILLING + tab for tab in ("", "invoices/", "invoices/1/", "usage/")),
    ACCOUNT + "audit-log/",
    "/login/you/",
]
MOST_BYTES = 100_000

# Adds up the layout shifts since the first paint that the user didn't cause.
WATCH_SHIFTS = """
window.shifted = 0;
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.shifted += entry.value;
}).observe({type: "layout-shift", buffered: true});
"""

Visit = Callable[..., Page]


@pytest.fixture
def visit(browser: Browser, live_server: LiveServer) -> Iterator[Visit]:
    """Return a function that opens a window in which a user has logged in."""
    contexts: list[BrowserContext] = []

    def open_as(user: User, *, width: int = 1440, **options: Any) -> Page:
        context = browser.new_context(base_url=live_server.url, viewport={"width": width, "height": 900}, **options)
        contexts.append(context)
        page = context.new_page()
        page.goto("/login/")
        page.get_by_label("Email").fill(user.email)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Log in").click()
        page.wait_for_url("**/accounts/**")
        return page

    yield open_as
    for context in contexts:
        context.close()


@pytest.fixture
def beginner(account: Account, owner: User, catalogue: None) -> Account:
    """An account in onboarding since this morning, with nothing done yet."""
    install(account, edition="cc-pro", by=owner)
    return account


@pytest.fixture
def customer(account: Account, owner: User, member: User, catalogue: None) -> Account:
    """An account live for three months, with seats, people, calls, an invoice, and a pending smaller package."""
    now = database_now()
    began = (now - timedelta(days=130)).replace(hour=15)
    Account.objects.filter(pk=account.pk).update(created_at=began)
    install(account, edition="cc-pro", by=owner, now=began)
    number = PhoneNumber.objects.create(account=account, number="+18005550100")
    PhoneNumber.objects.create(account=account, number="+12125550123")
    assign_number(account, number, by=owner, now=began)
    activate(account, by=member, reason="Ready", now=began + timedelta(days=30))
    buy(account, owner, now=began + timedelta(days=30), seats=2)
    buy(account, owner, now=began + timedelta(days=31), seats=25, package="tf-2500")
    buy(account, owner, now=now, package="tf-500")
    add_service_user(account, name="Ann Agent", email="ann@example.com", by=owner)
    for days in range(1, 120, 3):
        at = (now - timedelta(days=days)).isoformat(timespec="seconds")
        called(f"call-{days}", minutes=days, at=at)
    called("today", minutes=3, at=(now - timedelta(minutes=5)).isoformat(timespec="seconds"))
    run_bills(last_ended_month(now), now=now)
    return account


@pytest.mark.parametrize(("scheme", "width"), LOOKS)
def test_a_beginners_pages(visit: Visit, beginner: Account, owner: User, scheme: str, width: int) -> None:
    page = visit(owner, width=width, color_scheme=scheme)
    for path in (ACCOUNT, CENTER, CENTER + "go-live/", BILLING, BILLING + "invoices/", BILLING + "usage/"):
        page.goto(path)
        open_all(page)
        look(page)
    page.goto(SUBSCRIPTION)  # the packages are locked
    expect(page.get_by_text("the toll-free package stays at Pay-per-use", exact=False).first).to_be_visible()
    look(page)
    page.get_by_label("Concurrent-user seats").fill("3")
    expect(page.locator("#total-sum")).to_have_text(re.compile("this can’t be bought"))
    look(page)
    page.get_by_role("button", name="Save changes").click()  # refused
    expect(page.locator("#id_seats_error")).to_be_visible()
    assert page.get_by_label("Concurrent-user seats").get_attribute("aria-invalid") == "true"
    look(page)
    page.get_by_label("Concurrent-user seats").fill("2")
    page.get_by_role("button", name="Save changes").click()  # to be confirmed
    expect(page.get_by_role("heading", name="Confirm your changes")).to_be_visible()
    open_all(page)
    look(page)
    page.get_by_role("button", name="Confirm").click()
    expect(page.get_by_role("status").filter(has_text="Your subscription was changed.")).to_be_visible()
    look(page)


@pytest.mark.parametrize(("scheme", "width"), LOOKS)
def test_a_customers_pages(visit: Visit, customer: Account, owner: User, scheme: str, width: int) -> None:
    page = visit(owner, width=width, color_scheme=scheme)
    last = last_ended_month(database_now())
    paths = (ACCOUNT, CENTER, SUBSCRIPTION, CENTER + "go-live/", BILLING, BILLING + "invoices/")
    for path in (*paths, BILLING + "invoices/1/", f"{BILLING}usage/?month={last:%Y-%m}"):
        page.goto(path)
        open_all(page)
        look(page)
    page.locator("header summary").first.click()
    look(page)


def test_who_has_nothing_yet(visit: Visit, account: Account, owner: User, catalogue: None) -> None:
    page = visit(owner, width=390)
    for path in (ACCOUNT, CENTER, BILLING):
        page.goto(path)
        look(page)
    page.get_by_role("link", name="Contact Center").click()
    page.get_by_role("button", name="Install").click()  # nothing chosen
    expect(page.get_by_role("alert")).to_be_visible()
    look(page)


@pytest.mark.parametrize("width", [1280, 320], ids=["whole", "at-400-percent"])
def test_at_400_percent_nothing_is_lost(visit: Visit, customer: Account, owner: User, width: int) -> None:
    page = visit(owner, width=width)
    for path in (ACCOUNT, CENTER, SUBSCRIPTION, BILLING, BILLING + "invoices/1/"):
        page.goto(path)
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), path
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        expect(page.get_by_role("navigation", name="Account").get_by_role("link", name="Billing")).to_be_visible()


def test_the_total_follows_the_form_by_itself(visit: Visit, customer: Account, owner: User) -> None:
    page = visit(owner)
    page.goto(SUBSCRIPTION)
    total = page.locator("#total-sum .figure")
    expect(total).to_have_text("$1,768.00")
    expect(page.get_by_role("button", name="Show the new total")).to_have_count(0)
    page.get_by_label("Concurrent-user seats").fill("30")
    expect(total).to_have_text("$2,118.00")
    page.get_by_label("Chat").check()
    expect(total).to_have_text("$2,418.00")
    expect(page.locator("#total-sum")).to_contain_text("It is $1,768.00 as you hold it.")
    page.get_by_label("Pay-per-use").check()
    expect(total).to_have_text("$2,400.00")
    expect(page.locator("#total-changes")).to_contain_text("Smaller packages take effect on the 1st of next month.")
    assert page.locator("#total-sum").get_attribute("aria-live") == "polite"
    page.get_by_role("button", name="Save changes").click()
    expect(page.get_by_role("row", name=re.compile(r"Chat .*off on"))).to_be_visible()


def test_without_a_server_the_total_says_that_it_is_not_known(visit: Visit, customer: Account, owner: User) -> None:
    page = visit(owner)
    page.goto(SUBSCRIPTION)
    page.context.set_offline(True)
    page.get_by_label("Concurrent-user seats").fill("30")
    expect(page.locator("#total-sum")).to_contain_text("can’t be shown at the moment")
    expect(page.locator("#total-sum .figure")).to_have_count(0)


def test_without_javascript_a_button_shows_the_total(visit: Visit, customer: Account, owner: User) -> None:
    page = visit(owner, width=390, java_script_enabled=False)
    page.goto(SUBSCRIPTION)
    page.get_by_label("Concurrent-user seats").fill("30")
    page.get_by_role("button", name="Show the new total").click()
    expect(page.locator("#total-sum .figure")).to_have_text("$2,118.00")
    expect(page.get_by_label("Concurrent-user seats")).to_have_value("30")
    page.get_by_role("button", name="Save changes").click()
    # An amount expands without JavaScript. Late in a month, the same sum may also stand in what is still folded.
    page.locator("summary", has_text="$350.00").first.click()
    expect(page.get_by_text("30 seats × $70.00 = $2,100.00")).to_be_visible()
    page.get_by_role("button", name="Confirm").click()
    expect(page.get_by_text("Your subscription was changed.")).to_be_visible()
    page.goto(CENTER)
    page.get_by_text("Minutes of each day").click()
    expect(page.get_by_role("columnheader", name="Day")).to_be_visible()


def test_by_keyboard_nothing_that_is_focused_is_hidden(visit: Visit, customer: Account, owner: User) -> None:
    """The focused element is in view, not under the bar with the total, and has a visible focus ring."""
    page = visit(owner, width=390)
    page.goto(SUBSCRIPTION)
    page.bring_to_front()
    names = set()
    for _ in range(60):
        page.keyboard.press("Tab")
        seen = page.evaluate(
            """() => {
              const it = document.activeElement, box = it.getBoundingClientRect();
              if (it === document.body) return null;
              const top = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
              const shown = !!top && (it.contains(top) || top.contains(it));
              const style = getComputedStyle(it);
              return [it.name || it.textContent.trim(), shown, style.outlineStyle !== "none"];
            }"""
        )
        if seen is None:
            break
        name, shown, ringed = seen
        names.add(name)
        assert shown, f"{name} is focused and hidden"
        assert ringed, f"{name} has no ring"
    assert {"seats", "channels", "addons", "storage", "package", "Save changes"} <= names


def test_who_wants_less_motion_gets_none(visit: Visit, beginner: Account, owner: User) -> None:
    page = visit(owner, reduced_motion="reduce")
    page.goto(SUBSCRIPTION)
    moving = "[...document.querySelectorAll('*')].filter((e) => getComputedStyle(e).transitionDuration !== '0s').length"
    assert page.evaluate(moving) == 0


@pytest.mark.parametrize("width", [1440, 390])
def test_nothing_on_a_page_moves_by_itself(visit: Visit, customer: Account, owner: User, width: int) -> None:
    page = visit(owner, width=width)
    page.add_init_script(WATCH_SHIFTS)
    for path in MAIN_PAGES:
        page.goto(path, wait_until="networkidle")
        assert page.evaluate("window.shifted") == 0, path


def test_a_first_view_is_light_and_all_ours(
    visit: Visit, customer: Account, owner: User, live_server: LiveServer
) -> None:
    """With an empty cache, each page takes less than 100 KB, all of it from this host.

    The test's server compresses nothing. So static files are counted as compressed by gzip, as WhiteNoise serves them,
    and the page itself as uncompressed, since only a proxy would compress it.
    """
    context = visit(owner).context
    for path in MAIN_PAGES:
        page = context.new_page()  # of its own: the body of what an earlier page asked for late can't be read any more
        context.new_cdp_session(page).send("Network.setCacheDisabled", {"cacheDisabled": True})
        answers: list[Response] = []
        page.on("response", lambda answer, answers=answers: answers.append(answer))
        page.goto(path, wait_until="networkidle")
        sizes = {answer.url: weight(answer) for answer in answers}
        assert any(url.endswith(".css") for url in sizes), path
        assert any(url.endswith(path) for url in sizes), path
        assert all(url.startswith(live_server.url) for url in sizes), sizes
        assert sum(sizes.values()) < MOST_BYTES, sizes
        page.close()


def weight(answer: Response) -> int:
    """Return the approximate number of bytes of a response in production, with headers."""
    headers = sum(len(name) + len(value) + 4 for name, value in answer.headers.items())
    return headers + len(gzip.compress(answer.body()) if "/static/" in answer.url else answer.body())
