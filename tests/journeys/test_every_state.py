"""The states of customers' pages that no other journey reaches, each checked in light and dark, wide and narrow.

A state is a page, what is done there, and text that shows that the state was reached. The other states are in
test_panel (subscription, billing), test_people (users, numbers, the log), and test_login (second factor, errors).
"""

import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any, NamedTuple

import pytest
from django.core import mail
from playwright.sync_api import Browser, BrowserContext, Page, expect
from pytest_django.live_server_helper import LiveServer

from accounts.actions import add_service_user
from accounts.models import Account, Contact, PhoneNumber, Role, User
from core.clock import database_now
from onboarding.actions import activate, answer_go_live, request_go_live, withdraw_go_live
from subscriptions.actions import assign_users, install
from tests.billing.bills import buy
from tests.conftest import PASSWORD
from tests.journeys.looking import look_everywhere, open_all

ACCOUNT = "/accounts/100001/"
CENTER = ACCOUNT + "contact-center/"
SUBSCRIPTION, GO_LIVE, INSTALL = CENTER + "subscription/", CENTER + "go-live/", CENTER + "install/"
LOG_IN, RESET = "/login/", "/login/password/reset/"

Visit = Callable[[User | None], Page]


@pytest.fixture
def visit(browser: Browser, live_server: LiveServer) -> Iterator[Visit]:
    """Return a function that opens a window, logged in as the user if any. Script and CSP errors fail the test."""
    contexts: list[BrowserContext] = []
    errors: list[str] = []

    def open_as(user: User | None) -> Page:
        context = browser.new_context(base_url=live_server.url, reduced_motion="reduce")
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda said: errors.append(said.text) if "Content Security Policy" in said.text else None)
        if user:
            page.goto(LOG_IN)
            log_in(page, user.email, PASSWORD)
            expect(page.get_by_role("button", name="Log in")).to_have_count(0)
        return page

    yield open_as
    for context in contexts:
        context.close()
    assert errors == []


def log_in(page: Page, email: str, password: str) -> None:
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password").fill(password)
    press(page, "Log in")


def press(page: Page, button: str) -> None:
    page.get_by_role("button", name=button, exact=True).click()


def nothing(page: Page) -> None:
    pass


class State(NamedTuple):
    path: str
    words: str
    do: Callable[[Page], None] = nothing


def see(page: Page, states: list[State]) -> None:
    """Bring the page to each state, wait for the state's text, and check the page with everything expanded."""
    for state in states:
        page.goto(state.path)
        state.do(page)
        expect(page.get_by_text(state.words, exact=False).first).to_be_visible()
        open_all(page)
        look_everywhere(page)


def ask_for_a_new_password(page: Page) -> None:
    page.get_by_label("Email").fill("olivia@example.com")
    press(page, "Send the link")


def follow_the_link(page: Page) -> None:
    """Open the password reset link in the latest email."""
    page.goto(re.findall(r"https?://\S+/password/reset/key/\S+", "\n".join(str(sent.body) for sent in mail.outbox))[-1])


def choose_a_bad_password(page: Page) -> None:
    follow_the_link(page)
    page.get_by_label("New Password", exact=True).fill("12345")
    page.get_by_label(re.compile("again", re.IGNORECASE)).fill("54321")
    press(page, "Change the password")


def choose_a_password(page: Page) -> None:
    follow_the_link(page)
    page.get_by_label("New Password", exact=True).fill("horse correct battery")
    page.get_by_label(re.compile("again", re.IGNORECASE)).fill("horse correct battery")
    press(page, "Change the password")


def test_before_one_is_logged_in(visit: Visit, account: Account, owner: User) -> None:
    see(
        visit(None),
        [
            State(LOG_IN, "Log in to"),
            State(LOG_IN, "required", lambda page: press(page, "Log in")),
            State(LOG_IN, "not correct", lambda page: log_in(page, owner.email, "wrong")),
            State(RESET, "Send"),
            State(RESET, "required", lambda page: press(page, "Send the link")),
            State(RESET, "mail", ask_for_a_new_password),
            State(RESET, "Choose a new password", follow_the_link),
            State(RESET, "too common", choose_a_bad_password),
            State(RESET, "log in", choose_a_password),
            State(RESET, "used already", follow_the_link),
        ],
    )


def test_ones_accounts_and_the_install(
    visit: Visit, account: Account, owner: User, catalogue: None, make_account: Any, make_user: Any
) -> None:
    alone = make_user("alone@example.com")
    see(visit(alone), [State("/", "No account yet")])
    viewer = make_user("vera@example.com")
    Contact.objects.create(account=account, user=viewer, role=Role.VIEWER)
    see(visit(viewer), [State(INSTALL, "can install it")])
    page = visit(owner)
    see(
        page,
        [
            State(ACCOUNT, "Install Contact Center"),
            State(INSTALL, "It starts in onboarding mode"),
            State(INSTALL, "Choose an edition", lambda page: press(page, "Install")),
        ],
    )
    for number in range(2, 60):
        make_account(f"1{number:05}", owner=owner)
    see(page, [State("/", "Your accounts"), State(ACCOUNT, "Acme Support", open_the_switcher)])


def open_the_switcher(page: Page) -> None:
    page.locator("header summary").first.click()


def test_going_live(visit: Visit, account: Account, owner: User, member: User, catalogue: None, make_user: Any) -> None:
    now = database_now()
    install(account, edition="cc-pro", by=owner, now=now - timedelta(days=9))
    buy(account, owner, now=now - timedelta(days=8), seats=2)
    viewer = make_user("vera@example.com")
    Contact.objects.create(account=account, user=viewer, role=Role.VIEWER)
    see(visit(viewer), [State(GO_LIVE, "No request yet"), State(SUBSCRIPTION, "Contact Center Pro")])

    page = visit(owner)
    see(page, [State(GO_LIVE, "First bill, if activated today"), State(GO_LIVE, "a day", ask_for_yesterday)])
    day = account.day_of(now)
    request_go_live(account, wanted_on=day + timedelta(days=4), note="We open\nsoon.", by=owner)
    see(page, [State(GO_LIVE, "Waiting for the Onboarding team")])
    withdraw_go_live(account, by=owner)
    request_go_live(account, wanted_on=day + timedelta(days=5), note="", by=owner)
    answer_go_live(account, answer="Please test your number first.", by=member)
    see(page, [State(GO_LIVE, "Please test your number first.")])
    request_go_live(account, wanted_on=day + timedelta(days=6), note="Tested.", by=owner)
    see(page, [State(GO_LIVE, "Earlier requests"), State(CENTER, "Onboarding mode is on")])
    activate(account, by=member, reason="Ready")
    see(page, [State(GO_LIVE, "Your account is live"), State(CENTER, "Live since")])


def ask_for_yesterday(page: Page) -> None:
    page.get_by_label("Day", exact=False).first.fill("2020-01-01")
    press(page, "Ask the Onboarding team")
    expect(page.locator("[aria-invalid=true]").first).to_be_visible()


def test_a_confirmation_that_is_stale_or_damaged(visit: Visit, active: Account, owner: User) -> None:
    def confirm_late(page: Page) -> None:
        propose_seats(page, 7)
        buy(active, owner, now=database_now(), seats=3)
        press(page, "Confirm")

    def confirm_damaged(page: Page) -> None:
        propose_seats(page, 8)
        page.evaluate("document.querySelector('[name=token]').value = 'x'")
        press(page, "Confirm")

    def go_back(page: Page) -> None:
        propose_seats(page, 9)
        press(page, "Back")
        expect(page.get_by_label("Concurrent-user seats")).to_have_value("9")

    see(
        visit(owner),
        [
            State(SUBSCRIPTION, "Confirm your changes", lambda page: propose_seats(page, 6)),
            State(SUBSCRIPTION, "Confirm your changes", confirm_late),
            State(SUBSCRIPTION, "expired or was damaged", confirm_damaged),
            State(SUBSCRIPTION, "Concurrent-user seats", go_back),
            State(SUBSCRIPTION, "whole number", lambda page: propose_seats(page, "many")),
        ],
    )


def propose_seats(page: Page, seats: object) -> None:
    field = page.get_by_label("Concurrent-user seats")
    field.evaluate("(field, seats) => { field.type = 'text'; field.value = seats; }", str(seats))
    press(page, "Save changes")


def test_people_and_numbers_at_400_percent(visit: Visit, installed: Account, owner: User) -> None:
    """Long words, as in names, addresses and the audit log, are the likeliest to overflow a narrow window."""
    name = "Maximiliane-Friederike Oberhuber-Donaudampfschifffahrtsgesellschaft"
    person = add_service_user(installed, name=name, email=f"{'very' * 12}.long@contact-center.example.com", by=owner)
    assign_users(installed, {person.pk: "call_center_manager"}, by=owner)
    PhoneNumber.objects.create(account=installed, number="+18005550100")
    see(
        visit(owner),
        [
            State(CENTER + "users/", name),
            State(CENTER + "users/import/", "CSV file"),
            State(CENTER + "phone-numbers/", "(800) 555-0100"),
            State(ACCOUNT + "audit-log/", "Person added"),
            State(CENTER, "Latest events"),
        ],
    )
