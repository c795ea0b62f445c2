"""The team's page of an account: its status, what happened, and an estimate of its first bill."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django.utils.formats import date_format

from accounts.models import Account, User
from billing.previews.estimate import first_bills
from core.clock import database_now
from core.dates import day_in_words, days_in_words
from core.money import money
from onboarding.actions import (
    activate,
    announce,
    answer_go_live,
    assign_owner,
    cancel_schedule,
    request_go_live,
    schedule_activation,
    set_deadline,
    withdraw_go_live,
    write_note,
)
from onboarding.timeline import timeline
from tests.billing.bills import buy
from tests.onboarding.worklist import LIST, Make, days_ago, of, page, text_of
from tests.remembering import remembered


@pytest.fixture
@remembered
def busy(make_installed: Make, owner: User, member: User) -> Account:
    """An account in onboarding with many events: requests, a refusal, an owner, plans and a note."""
    account = make_installed("700001", now=days_ago(20), company="Busy")
    day = account.day_of(database_now()) + timedelta(days=12)
    buy(account, owner, now=days_ago(10), seats=2)
    with pytest.raises(ValidationError):
        buy(account, owner, now=days_ago(9), seats=3)
    for _ in range(2):
        request_go_live(account, wanted_on=day, note="We open soon.", by=owner)
        withdraw_go_live(account, by=owner)
    request_go_live(account, wanted_on=day, by=owner)
    assign_owner(account, owner=member, by=member)
    set_deadline(account, on=day, reason="They train", by=member)
    schedule_activation(account, on=day, reason="Agreed by phone", by=member)
    write_note(account, text="Call\non Monday <b>", by=member)
    return account


def test_it_says_where_the_account_stands(busy: Account, team: Client) -> None:
    text = text_of(team.get(page(busy)))
    for said in (
        *("Busy", "700001", "20 days", "They train", "Agreed by phone", "tom@example.com", "2 seats", "no numbers"),
        *("Readiness: 2 of 4", "Monthly, once live", "Asks to go live", "Activate…", "Move the schedule…"),
        *(
            "Cancel the schedule…",
            "Extend…",
            "No deadline…",
            "Follow the policy…",
            "Owner…",
            "Answer…",
            "Keep the note",
        ),
    ):
        assert said in text, said


def test_what_happened_is_told_the_latest_first(busy: Account, member: User, team: Client) -> None:
    answer_go_live(busy, answer="On Monday.", by=member)
    activate(busy, by=member, reason="Ready")
    moments = timeline(busy, 100)
    assert [moment.at for moment in moments] == sorted((moment.at for moment in moments), reverse=True)
    told = [moment.what for moment in moments]
    for what in (
        *("Contact Center installed", "Subscription changed", "Asked to go live", "Request to go live withdrawn"),
        *("Owner assigned", "Note", "Account activated", "E-mail: Deadline changed", "Onboarding mode switched on"),
    ):
        assert what in told, what
    assert any(what.startswith("Refused: ") for what in told)
    assert any(what.startswith("Deadline set to ") for what in told)
    assert any(what.startswith("Activation scheduled for ") for what in told)
    assert {moment.who for moment in moments if moment.what == "Owner assigned"} == {"tom@example.com"}
    text = text_of(team.get(page(busy)))
    assert "Call<br>on Monday &lt;b&gt;" in text
    assert len(timeline(busy, 3)) == 3


def test_a_plan_is_told_once_and_by_the_teams_reason(busy: Account, member: User) -> None:
    day = busy.day_of(database_now()) + timedelta(days=13)
    schedule_activation(busy, on=day, reason="Moved by them", by=member)
    cancel_schedule(busy, by=member)
    with pytest.raises(ValidationError):
        set_deadline(busy, on=day - timedelta(days=100), reason="Too late", by=member)
    moments = timeline(busy, 100)
    told = [moment.what for moment in moments]
    assert not {"Deadline changed", "Activation scheduled", "Scheduled activation moved"} & set(told)
    assert [what.split(" to ")[0].split(" for ")[0] for what in told if "chedule" in what or "moved" in what] == [
        "Schedule cancelled",
        "Activation moved",
        "Activation scheduled",
    ]
    (refused,) = [moment for moment in moments if moment.what == "Refused: Set a deadline"]
    assert refused.more.startswith("Day. tried ")


def test_what_was_announced_is_shown_where_nothing_is_scheduled(
    make_installed: Make, team: Client, settings: Any
) -> None:
    settings.ONBOARDING_DEADLINE_DAYS = 60
    late = make_installed("700002", now=days_ago(70))
    list(announce())
    day = of(late).announced_for
    assert day is not None
    assert f'{day_in_words(day)} <span class="soft">in the night, by its deadline' in text_of(team.get(page(late)))
    assert f"goes live {days_in_words(day, day)}" in text_of(team.get(LIST))
    assert f"goes live {date_format(day)}" in text_of(team.get("/admin/"))
    assert str(day) in b"".join(team.get(f"{LIST}csv/")).decode()


def test_the_first_bill_is_that_of_the_day_asked_for(busy: Account, team: Client) -> None:
    today = busy.day_of(database_now())
    for days in (0, 1, 30):
        day = today + timedelta(days=days)
        bill = first_bills([busy], {busy.pk: day})[busy.pk]
        answer = team.get(page(busy), {"on": day.isoformat()})
        assert answer.context["preview"] == bill
        text = text_of(answer)
        assert money(bill.total) in text
        assert money(bill.monthly) in text
        assert not answer.context["no_such_day"]
    assert team.get(page(busy)).context["preview_on"] == today


@pytest.mark.parametrize("on", ["yesterday", "31", "x", "", "2026-02-30", "9999-99-99", "<b>"])
def test_another_day_is_refused_in_words(on: str, busy: Account, team: Client) -> None:
    today = busy.day_of(database_now())
    of = {"yesterday": (today - timedelta(days=1)).isoformat(), "31": (today + timedelta(days=31)).isoformat()}
    answer = team.get(page(busy), {"on": of.get(on, on)})
    assert answer.context["preview_on"] == today
    assert "Choose a day from" in text_of(answer)


@pytest.mark.parametrize("who", ["supporter", "biller"])
def test_who_may_only_look_sees_no_buttons(
    who: str, busy: Account, client: Client, request: pytest.FixtureRequest
) -> None:
    client.force_login(request.getfixturevalue(who))
    text = text_of(client.get(page(busy)))
    assert "Readiness: 2 of 4" in text
    for button in ("Activate…", "Schedule…", "schedule…", "Extend…", "Owner…", "Answer…", "Keep the note"):
        assert button not in text, button


def test_an_active_account_shows_since_when_and_nothing_to_plan(active: Account, team: Client) -> None:
    text = text_of(team.get(page(active)))
    assert "Activate…" not in text
    assert "First bill" not in text
    assert "Ready" in text
    assert "Keep the note" in text


def test_its_queries_do_not_grow_with_what_happened(
    busy: Account, member: User, team: Client, django_assert_max_num_queries: Any
) -> None:
    def look() -> None:
        assert team.get(page(busy)).status_code == 200

    with django_assert_max_num_queries(36) as few:
        look()
    for number in range(20):
        write_note(busy, text=f"Note {number}", by=member)
    with django_assert_max_num_queries(len(few)):
        look()


@pytest.mark.parametrize("key", ["x", "0", "-1", "9" * 30])
def test_an_address_without_an_account_is_no_error_page(key: str, team: Client, make_user: Callable[..., User]) -> None:
    answer = team.get(f"/admin/onboarding/onboarding/{key}/change/", follow=True)
    assert answer.status_code in (200, 404)
