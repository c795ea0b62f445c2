"""Users, Phone Numbers and the audit log in a real browser: each state checked by axe, with and without JavaScript."""

import csv
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from accounts.actions import add_service_user
from accounts.models import Account, Contact, PhoneNumber, Role, ServiceUser, User
from subscriptions.actions import assign_number, assign_users, install
from tests.conftest import PASSWORD
from tests.journeys.looking import LOOKS, look

CENTER = "/accounts/100001/contact-center/"
USERS, IMPORT, NUMBERS = CENTER + "users/", CENTER + "users/import/", CENTER + "phone-numbers/"
LOG = "/accounts/100001/audit-log/"
FILE = """name,email,role,phone
Ann Agent,ann@example.com,Agent,1
"Baker, Ben",ben@example.com,,2
Carl,carl@example,Agent,3
=HYPERLINK(1),d@example.com,,4
Eve,eve@example.com,King,5
"Two
lines",two@example.com,,6
Person 003,p3@example.com,Agent,7
"""
Visit = Callable[..., Page]


@pytest.fixture
def visit(browser: Browser, live_server: Any) -> Iterator[Visit]:
    """Return a function that opens a page as a user, in a separate window. Script and server errors fail the test."""
    contexts = []
    errors: list[str] = []

    def open_as(user: User, path: str, **options: Any) -> Page:
        context = browser.new_context(base_url=live_server.url, **options)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("response", lambda answer: errors.append(answer.url) if answer.status >= 500 else None)
        page.goto(path)
        page.get_by_label("Email").fill(user.email)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Log in").click()
        return page

    yield open_as
    for context in contexts:
        context.close()
    assert errors == []


@pytest.fixture
def busy(account: Account, owner: User, catalogue: None) -> Account:
    """An account with 60 people, and 60 numbers of both kinds."""
    install(account, edition="cc-pro", by=owner)
    people = [add_service_user(account, name=f"Person {i:03}", email=f"p{i}@example.com", by=owner) for i in range(60)]
    assign_users(account, {people[0].pk: "agent", people[1].pk: "team_leader"}, by=owner)
    for i in range(59):
        PhoneNumber.objects.create(account=account, number=f"+12125550{i:03}")
    assign_number(account, PhoneNumber.objects.create(account=account, number="+18005550100"), by=owner)
    return account


@pytest.fixture
def people_file(tmp_path: Path) -> Path:
    path = tmp_path / "people.csv"
    path.write_text(FILE, encoding="utf-8")
    return path


@pytest.mark.parametrize(("scheme", "width"), LOOKS)
def test_each_page_in_each_state_is_accessible_and_fits(
    visit: Visit, busy: Account, owner: User, people_file: Path, tmp_path: Path, scheme: str, width: int
) -> None:
    page = visit(owner, USERS, color_scheme=scheme, viewport={"width": width, "height": 900})
    for path in (
        USERS,
        USERS + "?show=with",
        USERS + "?q=nobody",
        IMPORT,
        NUMBERS,
        NUMBERS + "?q=nothing",
        LOG,
        LOG + "?kind=billing",
        LOG + "?kind=nonsense&since=2026-03-02&until=2026-03-01",
    ):
        page.goto(path)
        look(page)

    page.goto(USERS)
    page.get_by_role("button", name="Apply").click()
    expect(page.get_by_text("Tick at least one person")).to_be_visible()
    look(page)
    page.get_by_role("button", name="Add to the list").click()
    expect(page.locator("#id_name_error")).to_be_visible()
    look(page)

    bad = tmp_path / "bad.csv"
    bad.write_text("phone\n1\n", encoding="utf-8")
    page.goto(IMPORT)
    page.get_by_label("CSV file").set_input_files(bad)
    page.get_by_role("button", name="Look at the file").click()
    expect(page.locator("#id_file_error")).to_contain_text("“name” and “email” are missing")
    look(page)
    page.get_by_label("CSV file").set_input_files(people_file)
    page.get_by_role("button", name="Look at the file").click()
    expect(page.get_by_text("Nothing is written yet")).to_be_visible()
    look(page)
    add_service_user(busy, name="Ann", email="ann@example.com", by=owner)
    page.get_by_role("button", name="Import 2 people").click()
    expect(page.get_by_role("alert")).to_contain_text("since this page was made")
    look(page)


@pytest.mark.parametrize(("scheme", "width"), LOOKS)
def test_empty_pages_are_accessible_and_fit(
    visit: Visit, account: Account, owner: User, catalogue: None, scheme: str, width: int
) -> None:
    install(account, edition="cc-pro", by=owner)
    page = visit(owner, USERS, color_scheme=scheme, viewport={"width": width, "height": 900})
    for path, words in (
        (USERS, "Nobody on the list yet"),
        (NUMBERS, "No phone numbers yet"),
        (LOG + "?kind=numbers", "No such event"),
    ):
        page.goto(path)
        expect(page.get_by_text(words)).to_be_visible()
        look(page)


@pytest.mark.parametrize("javascript", [True, False])
def test_people_are_imported_found_ticked_and_told_in_the_log(
    visit: Visit, busy: Account, owner: User, people_file: Path, javascript: bool
) -> None:
    page = visit(owner, USERS, java_script_enabled=javascript)
    page.get_by_role("link", name="Import from a file").click()
    page.get_by_label("CSV file").set_input_files(people_file)
    page.get_by_role("button", name="Look at the file").click()
    for line, reason in (
        (4, "is not an e-mail address"),
        (5, "as a formula does"),
        (6, "“King” is not a role"),
        (7, "has a line break"),
        (9, "is on your list already"),
    ):
        expect(page.get_by_role("row", name=re.compile(f"Line {line} .*{reason}"))).to_be_visible()
    assert ServiceUser.objects.count() == 60
    page.get_by_role("button", name="Import 2 people").click()
    expect(page.get_by_text("2 people are on the list now.")).to_be_visible()
    assert ServiceUser.objects.get(email="ann@example.com").contact_center_role == "agent"

    page.get_by_label("Name or e-mail").fill("person")
    page.get_by_label("Show", exact=True).select_option("Without Contact Center")
    page.get_by_role("button", name="Search").click()
    expect(page.get_by_text("58 of 62 found")).to_be_visible()
    page.get_by_role("link", name="Next").click()
    page.get_by_label("Role of Person 055").select_option("Call Center Manager")
    page.get_by_label("Tick Person 056").check()
    page.get_by_label("Role for the ticked people").select_option("Agent")
    page.get_by_role("button", name="Apply").click()
    expect(page.get_by_text("Contact Center was assigned to 2 people.")).to_be_visible()
    if javascript:  # axe needs JavaScript
        look(page)
    expect(page.get_by_label("Name or e-mail")).to_have_value("person")
    expect(page.get_by_text("Page 2 of 2")).to_be_visible()
    page.get_by_label("Tick all 56 people found, on every page").check()
    page.get_by_role("button", name="Apply").click()
    expect(page.get_by_text("Contact Center was assigned to 56 people.")).to_be_visible()
    assert ServiceUser.objects.without_contact_center().get().name == "Baker, Ben"

    page.goto(NUMBERS)
    page.get_by_label("Number, or a part of it").fill("1-800-555-0100")
    page.get_by_role("button", name="Search").click()
    row = page.get_by_role("row", name=re.compile(r"\(800\) 555-0100.*Toll-free.*Assigned"))
    row.get_by_role("button", name="Unassign (800) 555-0100").click()
    expect(page.get_by_text("is no longer assigned to Contact Center")).to_be_visible()
    expect(page.get_by_label("Number, or a part of it")).to_have_value("1-800-555-0100")

    page.get_by_role("link", name="Audit log").click()
    expect(page.get_by_role("row", name=re.compile("Olivia Owner Number unassigned.*555-0100"))).to_be_visible()
    page.get_by_label("What", exact=True).select_option("Users")
    page.get_by_label("Who", exact=True).select_option("Olivia Owner")
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_role("row", name=re.compile("Contact Center assigned")).first).to_be_visible()
    page.get_by_role("link", name="Older").click()
    page.get_by_role("link", name="Older").click()
    expect(page.get_by_role("row", name=re.compile("Person added")).first).to_be_visible()
    expect(page.get_by_label("What", exact=True)).to_have_value("users")
    with page.expect_download() as download:
        page.get_by_role("link", name="Save as CSV").click()
    with Path(download.value.path()).open(newline="", encoding="utf-8") as saved:
        rows = list(csv.DictReader(saved))
    assert {row["kind"] for row in rows} == {"Users"}
    assert sum(row["action"] == "Person imported" for row in rows) == 3  # two people; one of them also got a role


def test_what_was_ticked_and_chosen_stays_after_a_refusal(visit: Visit, busy: Account, owner: User) -> None:
    page = visit(owner, USERS)
    page.get_by_label("Tick Person 005").focus()
    page.keyboard.press("Space")
    page.evaluate("document.querySelector('[name=role]').innerHTML = '<option value=king>King</option>'")
    page.get_by_role("button", name="Apply").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#id_role_error")).to_be_visible()
    expect(page.get_by_label("Tick Person 005")).to_be_checked()


def test_who_may_only_look(visit: Visit, busy: Account, make_user: Callable[..., User]) -> None:
    viewer = make_user("vera@example.com")
    Contact.objects.create(account=busy, user=viewer, role=Role.VIEWER)
    page = visit(viewer, USERS)
    expect(page.get_by_text("Person 000")).to_be_visible()
    expect(page.get_by_role("checkbox")).to_have_count(0)
    expect(page.get_by_role("button", name="Apply")).to_have_count(0)
    look(page)
    page.goto(NUMBERS)
    expect(page.get_by_role("button", name=re.compile("Assign"))).to_have_count(0)
    look(page)
