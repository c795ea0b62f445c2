"""The worklist: what it shows, finds, filters, sorts and exports, with a fixed number of queries."""

import csv
import re
from collections.abc import Callable
from datetime import timedelta
from html import unescape
from io import StringIO
from typing import Any

import pytest
from django.test import Client

from accounts.models import Account, Contact, PhoneNumber, Role, ServiceUser, User
from core.clock import database_now
from onboarding.actions import assign_owner, request_go_live, schedule_activation, set_deadline
from subscriptions.actions import assign_number
from tests.billing.bills import buy
from tests.billing.call_rows import imported, row
from tests.onboarding.worklist import LIST, Make, days_ago, listed, of, text_of
from tests.remembering import remembered


@pytest.fixture
def sixty_days(settings: Any) -> None:
    settings.ONBOARDING_DEADLINE_DAYS = 60


@pytest.fixture
@remembered
def four(make_installed: Make, owner: User, member: User, sixty_days: None) -> list[Account]:
    """Four accounts, oldest first: overdue; due soon; with an owner and a later deadline; young and ready."""
    late = make_installed("200001", now=days_ago(71), company="Late & Sons")
    soon = make_installed("200002", now=days_ago(55), edition="cc-elite")
    owned = make_installed("200003", now=days_ago(40))
    ready = make_installed("200004", now=days_ago(3), company="=cmd()")
    assign_owner(owned, owner=member, by=member)
    set_deadline(owned, on=owned.day_of(database_now()) + timedelta(days=200), reason="Big", by=member)
    request_go_live(ready, wanted_on=ready.day_of(database_now()) + timedelta(days=5), by=owner)
    make_ready(ready, owner)
    return [late, soon, owned, ready]


def make_ready(account: Account, owner: User, number: str = "+18005550142") -> None:
    buy(account, owner, now=days_ago(2), seats=2)
    ServiceUser.objects.create(account=account, name="Ann", email="ann@example.com", contact_center_role="agent")
    assign_number(account, PhoneNumber.objects.create(account=account, number=number), by=owner)


def test_it_shows_what_the_team_decides_by(four: list[Account], team: Client) -> None:
    late, soon, owned, ready = four
    assert listed(team) == [late, soon, owned, ready]
    text = text_of(team.get(LIST))
    for said in ("71 days", "11 days overdue", "Elite", "4 of 4", "Ready", "no seats, no users, no numbers", "tom@"):
        assert said in text, said


@pytest.mark.parametrize(
    ("query", "places"),
    [
        ("due=overdue", [0]),
        ("due=soon", [1]),
        ("due=own", [2]),
        ("asked=yes", [3]),
        ("asked=no", [0, 1, 2]),
        ("owner=me", [2]),
        ("owner=nobody", [0, 1, 3]),
        ("ready=yes", [3]),
        ("ready=no", [0, 1, 2]),
        ("edition=cc-elite", [1]),
        ("age=0-14", [3]),
        ("age=31-45", [2]),
        ("age=46-60", [1]),
        ("age=61-", [0]),
        ("mode=active", []),
        ("ready=no&owner=nobody", [0, 1]),
    ],
)
def test_each_filter_shows_its_own(query: str, places: list[int], four: list[Account], team: Client) -> None:
    assert listed(team, query) == [four[place] for place in places]


def test_filters_of_the_schedule_the_deadline_and_a_colleague(
    four: list[Account], member: User, team: Client, make_user: Callable[..., User], settings: Any
) -> None:
    day = four[0].day_of(database_now()) + timedelta(days=9)
    schedule_activation(four[0], on=day, reason="Agreed", by=member)
    assert listed(team, "asked=scheduled") == [four[0]]
    assert listed(team, f"owner={member.pk}") == [four[2]]
    settings.ONBOARDING_DEADLINE_DAYS = 0
    assert listed(team, "due=none") == [four[0], four[1], four[3]]
    assert listed(team, "due=overdue") == []


@pytest.mark.parametrize(
    "junk", ["due=x", "owner=x", "owner=-1", "age=x", "activated=x", "edition=x", "ready=x", "o=99"]
)
def test_junk_in_a_filter_is_no_error_page(junk: str, four: list[Account], team: Client) -> None:
    assert team.get(f"{LIST}?{junk}", follow=True).status_code == 200


@pytest.mark.parametrize(
    "words",
    [
        *("200004", "20000", "=cmd", "=CMD", "mia@cust", "Mia@Customer.example", "(800) 555-0142", "+1 800 555 0142"),
        *("800.555.0142", "8005550142", "1-800-555-0142", "tel:+18005550142"),
    ],
)
def test_an_account_is_found_by_what_one_has_at_hand(
    words: str, four: list[Account], team: Client, make_user: Callable[..., User]
) -> None:
    contact = make_user("mia@customer.example")
    Contact.objects.create(account=four[3], user=contact, role=Role.BILLING)
    found = listed(team, f"q={words.replace('+', '%2B')}")
    assert four[3] in found
    assert len(found) == (4 if words == "20000" else 1)


@pytest.mark.parametrize("words", ["999999", "nobody@example.org", "(800) 555-0199", "Ünknown", "%", "+"])
def test_what_is_not_there_is_not_found(words: str, four: list[Account], team: Client) -> None:
    assert listed(team, f"q={words.replace('%', '%25').replace('+', '%2B')}") == []


@pytest.mark.parametrize("column", range(1, 11))
def test_each_column_sorts_both_ways(column: int, four: list[Account], team: Client) -> None:
    imported([row("c1", to="+18005550142", at=database_now().isoformat(), seconds=600)])
    up, down = listed(team, f"o={column}"), listed(team, f"o=-{column}")
    assert set(up) == set(down) == set(four)
    first_by = {1: "200001", 4: "200004", 5: "200001", 8: None, 9: None, 10: None}
    if number := first_by.get(column):
        assert up[0].number == number
    if column in (8, 9, 10):  # the ready account has the highest readiness, minutes and value
        assert (up[-1], down[0]) == (four[3], four[3])


def test_the_csv_has_the_list_as_it_is_filtered_and_sorted(four: list[Account], team: Client) -> None:
    answer = team.get(f"{LIST}csv/?ready=yes")
    assert answer.streaming
    (found,) = csv.DictReader(StringIO(b"".join(answer).decode()))
    assert (found["account"], found["company"], found["age_in_days"]) == ("200004", "'=cmd()", "3")
    assert (found["edition"], found["ready"], found["missing"]) == ("Contact Center Pro", "4 of 4", "")
    assert found["go_live_asked_for"] == str(four[3].go_live_requests.get().wanted_on)
    sorted_down = csv.DictReader(StringIO(b"".join(team.get(f"{LIST}csv/?o=-1")).decode()))
    assert [each["account"] for each in sorted_down] == ["200004", "200003", "200002", "200001"]


def test_the_link_to_the_csv_carries_what_the_list_is_asked_for(four: list[Account], team: Client) -> None:
    text = text_of(team.get(f"{LIST}?owner=nobody&q=2000&o=-1&p=1"))
    (link,) = re.findall(r'class="export" href="([^"]+)"', text)
    found = csv.DictReader(StringIO(b"".join(team.get(unescape(link))).decode()))
    assert [each["account"] for each in found] == ["200004", "200002", "200001"]


@pytest.mark.parametrize("junk", ["owner=x", "activated=x", "owner=" + "9" * 30, "p=99", "o=x"])
def test_junk_gives_no_csv_that_looks_like_the_whole(junk: str, four: list[Account], team: Client) -> None:
    assert team.get(f"{LIST}csv/?{junk}", follow=True).status_code == 200


def test_the_days_work_is_one_click_away(four: list[Account], team: Client) -> None:
    text = text_of(team.get(LIST))
    assert "Show all" not in text  # the whole list is already shown
    strip = text[text.index('class="narrowed"') :]
    for words, query in (("Overdue", "?due=overdue"), ("Mine", "?owner=me"), ("Ready", "?ready=yes")):
        assert f'<a href="{query}">{words}</a>' in strip
    chosen = text_of(team.get(f"{LIST}?due=overdue&edition=cc-pro&activated=2026-10-12&mode=all"))
    for words in ("Overdue", "Edition: Contact Center Pro", "Activated: 2026-10-12", "Mode: All"):
        assert f'aria-current="true">{words} <span' in chosen, words
    assert 'href="?activated=2026-10-12&amp;edition=cc-pro&amp;mode=all" aria-current="true">Overdue' in chosen


@pytest.mark.parametrize("who", ["supporter", "biller"])
def test_who_may_look_may_export(who: str, four: list[Account], client: Client, request: Any) -> None:
    client.force_login(request.getfixturevalue(who))
    assert len(b"".join(client.get(f"{LIST}csv/")).splitlines()) == 5


def test_who_may_not_look_may_not_export(four: list[Account], client: Client, make_user: Callable[..., User]) -> None:
    client.force_login(make_user("new@example.com", is_staff=True))
    assert client.get(f"{LIST}csv/").status_code == client.get(LIST).status_code == 403


@pytest.mark.parametrize("query", ["", "o=9", "o=10", "due=overdue", "q=Company"])
def test_queries_do_not_grow_with_the_accounts(
    query: str, make_installed: Make, team: Client, django_assert_num_queries: Any, settings: Any
) -> None:
    settings.ONBOARDING_DEADLINE_DAYS = 60
    for number in range(10):
        make_installed(str(300000 + number), now=days_ago(100 + number))
    assert len(listed(team, query)) == 10
    with django_assert_num_queries(AT_MOST[query]):
        listed(team, query)
    for number in range(10, 60):
        make_installed(str(300000 + number), now=days_ago(100 + number))
    with django_assert_num_queries(AT_MOST[query]):
        assert len(listed(team, query)) == 50
    assert of(Account.objects.last()).account.number == "300059"


AT_MOST = {"": 25, "o=9": 25, "o=10": 28, "due=overdue": 26, "q=Company": 26}
