"""What customers see of the team's answer, and of the day on which their account goes live automatically."""

from datetime import date, timedelta

import pytest
from django.test import Client

from accounts.models import Account, User
from core.clock import database_now
from core.dates import day_in_words
from onboarding.actions import answer_go_live, cancel_schedule, request_go_live, schedule_activation, withdraw_go_live
from onboarding.models import Onboarding


@pytest.fixture
def as_owner(client: Client, owner: User) -> Client:
    client.force_login(owner)
    return client


def page(client: Client, account: Account, name: str = "contact-center/go-live/") -> str:
    """Return the content of a page of the account, with all white space as single spaces."""
    response = client.get(f"/accounts/{account.number}/{name}")
    assert response.status_code == 200, response
    return " ".join(response.content.decode().split())


def test_the_answer_is_shown_with_who_and_when_and_one_may_ask_anew(
    installed: Account, owner: User, member: User, as_owner: Client
) -> None:
    request = request_go_live(installed, wanted_on=installed.day_of(database_now()), by=owner)
    assert "Waiting for the Onboarding team" in page(as_owner, installed)
    answer_go_live(installed, answer="Gladly <b>next</b> week.\nTrain first.", by=member)
    seen = page(as_owner, installed)
    assert "Gladly &lt;b&gt;next&lt;/b&gt; week.<br>Train first." in seen
    assert "by the Onboarding team" in seen
    assert member.email not in seen
    assert "Waiting for the Onboarding team" not in seen
    assert "Ask the Onboarding team</button>" in seen
    assert "Earlier requests" not in seen

    request_go_live(installed, wanted_on=request.wanted_on, by=owner)
    withdraw_go_live(installed, by=owner)
    request_go_live(installed, wanted_on=request.wanted_on, by=owner)
    answer_go_live(installed, answer="Now, then.", by=member)
    seen = page(as_owner, installed)
    assert "<p>Now, then.</p>" in seen
    assert ">Answered " in seen
    assert ">Withdrawn " in seen
    assert seen.count("Gladly") == 1


@pytest.mark.parametrize("days", [0, 3, 40])
def test_a_scheduled_day_is_shown_on_every_page_until_it_is_cancelled(
    installed: Account, member: User, as_owner: Client, days: int
) -> None:
    day = installed.day_of(database_now()) + timedelta(days=days)
    schedule_activation(installed, on=day, reason="As agreed between us", by=member)
    words = f"Your account goes live on {day_in_words(day)}."
    assert page(as_owner, installed).count(words) == 2  # once in the banner and once on the page
    overview = page(as_owner, installed, "")
    assert overview.count(words) == 1
    assert "As agreed between us" not in overview
    cancel_schedule(installed, by=member)
    assert "Your account goes live" not in page(as_owner, installed)


def test_an_announced_day_is_shown_and_one_that_has_passed_is_not_told_as_if_it_came(
    installed: Account, as_owner: Client
) -> None:
    today = installed.day_of(database_now())
    Onboarding.objects.update(announced_for=today)
    assert f"Your account goes live on {day_in_words(today)}." in page(as_owner, installed)
    Onboarding.objects.update(announced_for=today - timedelta(days=1))
    seen = page(as_owner, installed)
    assert "Your account goes live in the next nights." in seen
    assert day_in_words(today - timedelta(days=1)) not in seen


def test_an_active_account_shows_no_day(active: Account, as_owner: Client) -> None:
    Onboarding.objects.update(announced_for=date(2026, 3, 16))
    assert "goes live" not in page(as_owner, active, "")
