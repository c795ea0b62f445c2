"""A morning of the Onboarding team in a real browser, from the dashboard to an activated account."""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from accounts.models import Account, User
from onboarding.actions import request_go_live
from onboarding.models import GoLiveRequest, Note, Onboarding
from subscriptions.actions import install
from tests.conftest import PASSWORD

# Rules that unfold's own markup violates on every admin page, which we can't fix.
KNOWN_OF_UNFOLD = {
    "color-contrast",
    "aria-prohibited-attr",
    "label",
    "button-name",
    "link-name",
    "select-name",
    "target-size",
}


@pytest.fixture
def visit(browser: Browser, live_server: Any) -> Iterator[Callable[..., Page]]:
    """Return a function that opens the admin as a member of staff, in a separate browser context."""
    contexts = []

    def open_as(user: User, **options: Any) -> Page:
        context = browser.new_context(base_url=live_server.url, **options)
        contexts.append(context)
        page = context.new_page()
        page.goto("/admin/")
        page.get_by_label("Email").fill(user.email)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Log in").click()
        return page

    yield open_as
    for context in contexts:
        context.close()


def assert_accessible(page: Page) -> None:
    """Fail with the violations that axe finds on the page, except the known ones in unfold's own markup."""
    page.wait_for_load_state("networkidle")
    report = Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]})
    found = [
        (violation["id"], node["html"][:300], node["failureSummary"])
        for violation in report.response["violations"]
        for node in violation["nodes"]
        if not _of_unfold(page, violation["id"], node["target"])
    ]
    assert not found, (page.url, found)


def _of_unfold(page: Page, rule: str, target: list[str]) -> bool:
    """Return whether a violation is a known one in unfold's own markup, outside the elements of our templates."""
    ours = "node => !!node.closest('.panel, .rows, .figures, .figure, .bars, .meter, .narrowed')"
    return rule in KNOWN_OF_UNFOLD and not page.locator(target[0]).first.evaluate(ours)


@pytest.fixture
def waiting(make_account: Callable[..., Account], owner: User, settings: Any) -> Account:
    """An account that is overdue by the policy and has asked to go live. There is also a younger account."""
    settings.ONBOARDING_DEADLINE_DAYS = 60
    now = datetime.now(UTC)
    late = make_account("100001", owner=owner, company="Acme Support")
    long_ago = late.day_of(now) - timedelta(days=71)  # at noon of that day, since clocks may have changed in between
    install(late, edition="cc-pro", by=owner, now=datetime.combine(long_ago, time(12), UTC))
    request_go_live(late, wanted_on=late.day_of(now) + timedelta(days=3), note="We open soon.", by=owner)
    young = make_account("100002", owner=owner, company="Young")
    install(young, edition="cc-elite", by=owner, now=now - timedelta(days=2))
    return late


@pytest.mark.parametrize(("scheme", "width"), [("light", 1440), ("dark", 390)])
def test_a_morning(visit: Callable[..., Page], waiting: Account, member: User, scheme: str, width: int) -> None:
    page = visit(member, color_scheme=scheme, viewport={"width": width, "height": 900})
    expect(page.get_by_role("heading", name="The most urgent")).to_be_visible()
    assert_accessible(page)
    page.get_by_role("link", name=re.compile(r"^1\s*overdue$")).click()
    assert_accessible(page)
    expect(page.get_by_text("11 days overdue")).to_be_visible()
    with page.expect_download() as exported:
        page.get_by_role("link", name="CSV").click()
    lines = exported.value.path().read_text(encoding="utf-8").splitlines()
    assert [line.split(",")[0] for line in lines] == ["account", "100001"]  # the CSV is filtered like the page
    page.get_by_role("link", name=re.compile("Overdue.*without")).click()
    page.get_by_role("link", name="Asks to go live").click()
    assert_accessible(page)
    page.get_by_role("link", name=re.compile("Acme Support|100001")).first.click()
    expect(page.get_by_role("heading", name="Asks to go live")).to_be_visible()
    assert_accessible(page)

    page.get_by_label("Note").fill("Called, they train until Friday.")
    page.get_by_role("button", name="Keep the note").click()
    expect(page.get_by_text("Called, they train until Friday.")).to_be_visible()
    assert Note.objects.get().written_by == member

    in_ten_days = (waiting.day_of(datetime.now(UTC)) + timedelta(days=10)).isoformat()
    page.get_by_role("link", name="Extend…").click()
    assert_accessible(page)
    page.get_by_label("Last day of onboarding").fill(in_ten_days)
    page.get_by_role("button", name="Set the deadline").click()
    expect(page.get_by_text("This field is required").first).to_be_visible()
    page.get_by_label("Reason").fill("They train until Friday")
    page.get_by_role("button", name="Set the deadline").click()
    expect(page.get_by_text("The deadline was set").first).to_be_visible()

    page.get_by_role("link", name="Answer…").click()
    assert_accessible(page)
    page.get_by_label("Answer").fill("Monday suits us.")
    page.get_by_role("button", name="Send the answer").click()
    expect(page.get_by_role("heading", name="Asks to go live")).to_have_count(0)
    assert GoLiveRequest.objects.get().answer == "Monday suits us."

    page.get_by_role("link", name="Schedule…").click()
    assert_accessible(page)
    page.get_by_label("Day of the activation").fill(in_ten_days)
    page.get_by_label("Reason").fill("Agreed by phone")
    page.get_by_role("button", name="Schedule the activation").click()
    expect(page.get_by_text("The activation was scheduled").first).to_be_visible()
    expect(page.get_by_role("link", name="Cancel the schedule…")).to_be_visible()

    page.get_by_label("Another day").fill(in_ten_days)
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_role("heading", name="First bill, if activated on")).to_be_visible()

    page.get_by_label("Where it stands").get_by_role("link", name="Activate…").click()
    assert_accessible(page)
    page.get_by_label("Activate Acme Support 100001 anyway").check()
    page.get_by_label("Reason").fill("They are ready today")
    page.get_by_role("button", name=re.compile("Activate 1 account")).click()
    expect(page.get_by_text(re.compile("100001.* is active. Full charges")).first).to_be_visible()
    assert_accessible(page)
    row = Onboarding.objects.get(account=waiting)
    assert (row.activated_by, row.reason) == (member, "They are ready today")
    page.goto("/admin/")
    expect(page.get_by_role("link", name=re.compile(r"^1\s*in onboarding$"))).to_be_visible()


def test_many_get_an_owner_from_the_list(visit: Callable[..., Page], waiting: Account, member: User) -> None:
    page = visit(member, viewport={"width": 1440, "height": 900})
    page.goto("/admin/onboarding/onboarding/")
    page.locator("#action-toggle").check()
    page.locator("select[name=action]").select_option("owner_selected")
    page.get_by_role("button", name="Run").click()
    expect(page.get_by_role("heading", name="2 accounts")).to_be_visible()
    assert_accessible(page)
    page.get_by_label("Owner on the team").select_option(str(member.pk))
    page.get_by_role("button", name="Assign the owner").click()
    expect(page.get_by_role("heading", name="The owner was assigned: 2 accounts")).to_be_visible()
    assert_accessible(page)
    assert set(Onboarding.objects.values_list("owner", flat=True)) == {member.pk}
