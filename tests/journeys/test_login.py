"""Login in a real browser: second factor, recovery codes, sessions, change of address, and recovered forms."""

import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from allauth.usersessions.models import UserSession
from django.core import mail
from django.core.cache import cache
from playwright.sync_api import Browser, Page, expect

from accounts.models import Account, Contact, Role, User
from tests.conftest import PASSWORD
from tests.journeys.looking import look_everywhere

YOU = "/login/you/"
Open = Callable[..., Page]


@pytest.fixture
def new_page(browser: Browser, live_server: Any) -> Iterator[Open]:
    """Return a function that opens a window with its own cookies. Script errors and CSP blocks fail the test."""
    contexts = []
    blocked: list[str] = []

    def make(**options: Any) -> Page:
        context = browser.new_context(base_url=live_server.url, reduced_motion="reduce", **options)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda said: blocked.append(said.text) if "Content Security Policy" in said.text else None)
        page.on("pageerror", lambda error: blocked.append(str(error)))
        return page

    yield make
    for context in contexts:
        context.close()
    assert blocked == []


def log_in(page: Page, user: User, path: str = YOU) -> None:
    page.goto(path)
    page.get_by_label("Email").fill(user.email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()


def log_out(page: Page) -> None:
    """Log out from the menu with the user's name."""
    page.locator("header .menu.end > summary").click()
    page.get_by_role("button", name="Log out", exact=True).click()


def show_password(page: Page) -> None:
    """Enter the password again on the page that asks for it."""
    expect(page.get_by_role("heading", name="Is it you?")).to_be_visible()
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Go on").click()


def code_of(secret: str) -> str:
    """Return the code that an authenticator app with this key shows now, computed without the server."""
    return format_hotp_value(hotp_value(secret, int(time.time()) // 30))


def set_up_app(page: Page) -> str:
    """Set up an authenticator app from the page of the user's login, and return its key."""
    page.get_by_role("link", name="Set up an authenticator app").click()
    show_password(page)
    secret = page.locator(".secret").inner_text()
    page.get_by_label("Authenticator code").fill(code_of(secret))
    page.get_by_role("button", name="Switch it on").click()
    expect(page.get_by_role("heading", name="Your recovery codes")).to_be_visible()
    return secret


def test_an_app_is_set_up_and_asked_for_and_a_recovery_code_works_once(
    new_page: Open, account: Account, owner: User
) -> None:
    page = new_page()
    log_in(page, owner)
    expect(page.get_by_role("heading", name="Your log-in")).to_be_visible()
    look_everywhere(page)
    secret = set_up_app(page)
    look_everywhere(page)
    codes = page.locator(".codes code").all_inner_texts()
    assert len(set(codes)) == 10
    page.get_by_role("link", name="I have kept them").click()
    expect(page.get_by_text("On", exact=True)).to_be_visible()
    look_everywhere(page)

    cache.clear()  # forget that the current code was used for the setup, and don't wait half a minute for the next one
    other = new_page()
    log_in(other, owner, "/")
    expect(other.get_by_role("heading", name="Now your second factor")).to_be_visible()
    look_everywhere(other)
    other.get_by_label("Code").fill("000000")
    other.get_by_role("button", name="Log in").click()
    expect(other.get_by_text("That code is not right")).to_be_visible()
    look_everywhere(other)
    other.goto("/accounts/100001/")
    expect(other.get_by_role("heading", name="Now your second factor")).to_be_visible()
    other.get_by_label("Code").fill(code_of(secret))
    other.get_by_role("button", name="Log in").click()
    expect(other).to_have_url(re.compile("/accounts/100001/$"))

    for answer in ("Acme Support", "That code is not right"):
        stranger = new_page()
        log_in(stranger, owner, "/")
        stranger.get_by_label("Code").fill(codes[3])
        stranger.get_by_role("button", name="Log in").click()
        expect(stranger.get_by_text(answer).first).to_be_visible()


def test_a_passkey_is_added_asked_for_and_removed(new_page: Open, account: Account, owner: User) -> None:
    page = new_page()
    devices = page.context.new_cdp_session(page)
    devices.send("WebAuthn.enable")
    has = ("hasUserVerification", "isUserVerified", "hasResidentKey", "automaticPresenceSimulation")
    key = {"protocol": "ctap2", "transport": "internal", **dict.fromkeys(has, True)}
    devices.send("WebAuthn.addVirtualAuthenticator", {"options": key})
    log_in(page, owner)
    page.get_by_role("link", name="Add a passkey").click()
    show_password(page)
    look_everywhere(page)
    page.get_by_label("Name").fill("My laptop")
    page.get_by_role("button", name="Add a passkey").click()
    page.get_by_role("link", name="I have kept them").click()
    expect(page.get_by_text("My laptop, since")).to_be_visible()

    log_out(page)
    log_in(page, owner, "/")
    look_everywhere(page)
    page.get_by_role("button", name="Use a passkey").click()
    expect(page).to_have_url(re.compile("/accounts/100001/$"))

    page.goto(YOU)
    page.get_by_role("link", name="Remove My laptop").click()
    page.get_by_role("link", name="Use a passkey").click()
    look_everywhere(page)
    page.get_by_role("button", name="Use a passkey").click()
    expect(page.get_by_role("heading", name="Remove “My laptop”?")).to_be_visible()
    look_everywhere(page)
    page.get_by_role("button", name="Remove it").click()
    expect(page.get_by_text("Off", exact=True)).to_be_visible()
    log_out(page)
    log_in(page, owner, "/")
    expect(page).to_have_url(re.compile("/accounts/100001/$"))


def test_a_passkey_that_is_refused_is_said(new_page: Open, account: Account, owner: User) -> None:
    page = new_page()
    log_in(page, owner)
    page.get_by_role("link", name="Add a passkey").click()
    show_password(page)
    page.evaluate(
        "() => { navigator.credentials.create = () => Promise.reject(new DOMException('', 'NotAllowedError')) }"
    )
    page.get_by_role("button", name="Add a passkey").click()
    expect(page.get_by_role("alert")).to_contain_text("No passkey was given")
    expect(page.get_by_role("button", name="Add a passkey")).to_be_enabled()
    look_everywhere(page)


def test_signing_out_everywhere_ends_every_place(new_page: Open, account: Account, owner: User) -> None:
    page, phone, third = new_page(), new_page(), new_page()
    for one in (phone, third, page):
        log_in(one, owner)
    page.get_by_role("button", name=re.compile("Log out there")).first.click()
    expect(page.get_by_text("You are logged out there.")).to_be_visible()
    expect(page.get_by_role("button", name=re.compile("Log out there"))).to_have_count(1)
    page.get_by_role("button", name="Sign out everywhere").click()
    expect(page.get_by_text("You are logged out everywhere.")).to_be_visible()
    for one in (page, phone, third):
        one.goto("/accounts/100001/")
        expect(one.get_by_label("Password")).to_be_visible()


def test_the_address_changes_by_the_link_alone(new_page: Open, account: Account, owner: User) -> None:
    page = new_page()
    log_in(page, owner)
    page.get_by_role("link", name="Change the address").click()
    show_password(page)
    look_everywhere(page)
    page.get_by_label("New e-mail address").fill("olivia")
    page.get_by_role("button", name="Send the link").click()
    expect(page.get_by_label("New e-mail address")).to_have_attribute("aria-invalid", "true")
    look_everywhere(page)
    page.get_by_label("New e-mail address").fill("Olivia@New.example.com")
    page.get_by_role("button", name="Send the link").click()
    expect(page.get_by_text("A mail is on its way")).to_be_visible()
    look_everywhere(page)
    link = re.search(r"https?://\S+", mail.outbox[0].body)[0]
    page.goto(link)
    look_everywhere(page)
    page.get_by_role("button", name="Change the address").click()
    expect(page.get_by_text("You log in with olivia@new.example.com from now on.")).to_be_visible()


def test_staff_who_must_are_led_to_a_second_factor(
    new_page: Open, member: User, account: Account, settings: Any
) -> None:
    settings.STAFF_SECOND_FACTOR = True
    page = new_page()
    log_in(page, member, "/admin/onboarding/onboarding/")
    expect(page.get_by_text("The back office opens with a second factor only")).to_be_visible()
    look_everywhere(page)
    set_up_app(page)
    page.get_by_role("link", name="I have kept them").click()
    expect(page).to_have_url(re.compile("/admin/$"))


def test_what_was_typed_outlives_the_session(new_page: Open, installed: Account, owner: User) -> None:
    page = new_page()
    log_in(page, owner, "/accounts/100001/contact-center/go-live/")
    note = "We open on Monday.\nCall “Ann” <ann@example.com> & me."
    page.get_by_label("Anything the Onboarding team should know").fill(note)
    elsewhere = new_page()
    log_in(elsewhere, owner)
    elsewhere.get_by_role("button", name="Sign out everywhere").click()

    page.get_by_role("button", name="Ask the Onboarding team").click()
    expect(page.get_by_text("you find what you typed in its form")).to_be_visible()
    look_everywhere(page)
    page.get_by_label("Email").fill(owner.email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_text("Nothing was sent yet.")).to_be_visible()
    expect(page.get_by_label("Anything the Onboarding team should know")).to_have_value(note)
    look_everywhere(page)
    assert not installed.go_live_requests.exists()
    page.get_by_role("button", name="Ask the Onboarding team").click()
    expect(page.get_by_text("Waiting for the Onboarding team")).to_be_visible()
    assert installed.go_live_requests.get().note.splitlines() == note.splitlines()


def test_what_was_typed_outlives_a_log_in_in_another_tab(new_page: Open, installed: Account, owner: User) -> None:
    page = new_page()
    log_in(page, owner, "/accounts/100001/contact-center/users/")
    page.get_by_label("Name").fill("Ann Agent")
    page.get_by_label("E-mail").fill("ann@example.com")
    tab = page.context.new_page()
    tab.goto(YOU)
    log_out(tab)
    log_in(tab, owner)
    page.get_by_role("button", name="Add").click()
    expect(page.get_by_text("Nothing was sent yet.")).to_be_visible()
    expect(page.get_by_label("Name")).to_have_value("Ann Agent")
    assert not installed.service_users.exists()
    page.get_by_role("button", name="Add").click()
    expect(page.get_by_role("row", name=re.compile("Ann Agent"))).to_be_visible()


def test_log_in_and_the_form_again_work_without_javascript(new_page: Open, installed: Account, owner: User) -> None:
    page = new_page(java_script_enabled=False)
    log_in(page, owner)
    page.get_by_role("link", name="Add a passkey").click()
    show_password(page)
    expect(page.get_by_text("Passkeys need JavaScript")).to_be_visible()
    expect(page.get_by_role("button", name="Add a passkey")).to_be_hidden()
    page.goto("/accounts/100001/contact-center/subscription/")
    page.get_by_label("Concurrent-user seats").fill("2")
    page.get_by_label("Chat").check()
    UserSession.objects.get().end()
    page.get_by_role("button", name="Save changes").click()
    page.get_by_label("Email").fill(owner.email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_text("Nothing was sent yet.")).to_be_visible()
    expect(page.get_by_label("Concurrent-user seats")).to_have_value("2")
    expect(page.get_by_label("Chat")).to_be_checked()


@pytest.mark.urls("tests.config.broken_urls")
def test_pages_of_errors(new_page: Open, account: Account, owner: User, settings: Any, tmp_path: Path) -> None:
    page = new_page()
    page.goto("/broken/")
    expect(page.get_by_role("heading", name="Something went wrong on our side")).to_be_visible()
    look_everywhere(page)
    for _ in range(21):
        page.goto("/login/password/reset/")
        page.get_by_label("Email").fill(owner.email)
        page.get_by_role("button", name="Send").click()
    expect(page.get_by_text(re.compile("Try again in [0-9]+ seconds?"))).to_be_visible()
    look_everywhere(page)
    log_in(page, owner, "/accounts/999999/")
    expect(page.get_by_role("heading", name="There is no such page")).to_be_visible()
    look_everywhere(page)
    Contact.objects.filter(user=owner).update(role=Role.BILLING)
    page.goto("/accounts/100001/contact-center/subscription/")
    expect(page.get_by_role("heading", name="You don’t have access to this page")).to_be_visible()
    look_everywhere(page)
    settings.MAINTENANCE_FILE = tmp_path / "maintenance"
    settings.MAINTENANCE_FILE.write_text("Back at 14:00 UTC.")
    page.goto("/")
    expect(page.get_by_text("Back at 14:00 UTC.")).to_be_visible()
    look_everywhere(page)
