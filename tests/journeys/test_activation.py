"""The page that activates, in a real browser: it opens at the top, counts what is selected, and shows the result."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from accounts.models import Account, User
from onboarding.actions import request_go_live, schedule_activation, set_deadline
from onboarding.models import Onboarding
from subscriptions.actions import install
from tests.journeys.looking import assert_fits
from tests.journeys.test_morning import assert_accessible, visit
from tests.onboarding.test_worklist_list import make_ready

__all__ = ["visit"]
LIST = "/admin/onboarding/onboarding/"


@pytest.fixture
def many(make_account: Callable[..., Account], owner: User, member: User, settings: Any) -> list[Account]:
    """24 accounts that are ready, the last three of them with other objections, and two that are not ready."""
    settings.ONBOARDING_DEADLINE_DAYS = 60
    settings.ONBOARDING_ACTIVATIONS_A_DAY = 25
    now = datetime.now(UTC)
    accounts = []
    for place in range(26):
        account = make_account(f"1000{place:02}", owner=owner, company=f"Heron Clinics {place}")
        install(account, edition="cc-elite" if place % 2 else "cc-pro", by=owner, now=now - timedelta(days=40 - place))
        if place < 24:
            make_ready(account, owner, f"+1800555{1000 + place}")
        accounts.append(account)
    day = accounts[0].day_of(now)
    schedule_activation(accounts[21], on=day + timedelta(days=12), reason="They train until then", by=member)
    note = "After the trade fair, please. Our agents are trained on Monday and Tuesday."
    request_go_live(accounts[22], wanted_on=day + timedelta(days=8), note=note, by=owner)
    set_deadline(accounts[23], on=day + timedelta(days=90), reason="They move to a new building", by=member)
    request_go_live(accounts[0], wanted_on=day, note="Today!", by=owner)
    return accounts


@pytest.mark.parametrize(("scheme", "width"), [("light", 1440), ("dark", 390)])
def test_many_are_reviewed_and_activated(
    visit: Callable[..., Page], many: list[Account], member: User, scheme: str, width: int
) -> None:
    page = visit(member, color_scheme=scheme, viewport={"width": width, "height": 900})
    page.goto(LIST)
    page.locator("#action-toggle").check()
    page.locator("select[name=action]").select_option("activate_selected")
    page.get_by_role("button", name="Run").click()
    expect(page.get_by_text("This can’t be undone.")).to_be_in_viewport()
    assert page.evaluate("window.scrollY") == 0
    expect(page.get_by_text("You can activate up to 25 of these accounts today")).to_be_visible()
    assert_accessible(page)
    assert_fits(page)

    total = page.locator(".total")
    expect(total).to_contain_text("21 accounts · $")
    page.get_by_label("Reason").fill("Trained")
    page.get_by_label("Activate Heron Clinics 22 100022 anyway").check()
    expect(total).to_contain_text("22 accounts · $")
    page.get_by_role("button", name="Activate 22 accounts").click()
    expect(page.get_by_text("To activate 22 accounts, type 22 here.")).to_be_visible()
    expect(page.get_by_text("Nothing was activated. Fix the errors below.")).to_be_in_viewport()
    expect(page.get_by_label("Activate Heron Clinics 22 100022 anyway")).to_be_checked()
    assert_accessible(page)
    page.get_by_label("Number of accounts").fill("22")
    page.get_by_role("button", name="Activate 22 accounts").click()
    expect(page.get_by_role("heading", name="Activated: 22 accounts")).to_be_visible()
    expect(page.get_by_role("heading", name="Left out, still in onboarding: 4")).to_be_visible()
    assert_accessible(page)
    assert_fits(page)
    page.reload()
    expect(page.get_by_role("heading", name="Activated: 22 accounts")).to_be_visible()
    assert Onboarding.objects.active().count() == 22

    page.goto(LIST)
    page.get_by_role("link", name="100023").first.click()
    page.get_by_label("Where it stands").get_by_role("link", name="Activate…").click()
    expect(page.get_by_role("button", name="Activate account")).to_be_visible()
    assert_fits(page)
    page.get_by_label("Activate Heron Clinics 23 100023 anyway").check()
    page.get_by_label("Reason").fill("They want to start now")
    page.get_by_role("button", name="Activate 1 account").click()
    expect(page.get_by_text("is active. Full charges started on").first).to_be_visible()
