"""The new monthly total, shown while the subscription is changed and before anything is saved."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from accounts.models import Account, Contact, Refusal, Role, User
from onboarding.rules import SEAT_LIMIT
from subscriptions.models import SubscriptionChange
from tests.billing.bills import buy

PAGE = "/accounts/100001/contact-center/subscription/"
TOTAL = PAGE + "total/"
HELD = {"seats": 0, "channels": ["channel-voice"], "storage": "storage-5", "package": "tf-payperuse"}
QUERIES = 12


@pytest.fixture
def customer(client: Client, owner: User) -> Client:
    client.force_login(owner)
    return client


def part(text: str, name: str) -> str:
    """Return the text of an element in the response, without tags."""
    found = re.search(rf'id="{name}"[^>]*>(.*?)</div>', text, re.S)
    assert found, text
    return " ".join(re.sub(r"<[^>]+>", " ", found[1]).split())


def both(customer: Client, **wanted: Any) -> tuple[str, str]:
    """Return what the script gets, and assert that the page of the button shows the same."""
    scripted = customer.post(TOTAL, {**HELD, **wanted})
    assert scripted.status_code == 200
    page = customer.post(PAGE, {**HELD, **wanted, "show_total": "1"})
    assert page.status_code == 200
    told = [
        [part(answer.content.decode(), name) for name in ("total-changes", "total-sum")] for answer in (scripted, page)
    ]
    assert told[0] == told[1]
    return told[0][0], told[0][1]


def test_it_is_shown_before_anything_is_changed(customer: Client, active: Account) -> None:
    text = customer.get(PAGE).content.decode()
    assert part(text, "total-changes") == "Nothing is changed yet."
    assert part(text, "total-sum") == "Each month $0.00"


def test_a_purchase_shows_its_total_and_its_arithmetic(customer: Client, active: Account) -> None:
    changes, total = both(customer, seats=25, channels=["channel-voice", "channel-chat"], storage="storage-100")
    assert re.match(r"Seats : 0 → 25 Counts from \w+ \d+, \d{4}\. Chat : off → on Counts from", changes)
    assert total.startswith("Each month $2,030.00")
    assert "25 seats × $70.00 = $1,750.00" in total
    assert "$30.00 for the full month" in total
    assert total.endswith("It is $0.00 as you hold it.")
    assert SubscriptionChange.objects.count() == 1, "nothing was bought"


def test_in_onboarding_the_total_is_that_of_the_time_after(customer: Client, installed: Account) -> None:
    changes, total = both(customer, seats=2)
    assert "Seats : 0 → 2" in changes
    assert total.startswith("Each month, once live $140.00")


def test_a_downgrade_says_when_it_takes_effect(customer: Client, active: Account, owner: User) -> None:
    buy(active, owner, now=active.onboarding.activated_at, seats=3, package="tf-2500")
    changes, total = both(customer, seats=1, package="tf-500")
    assert re.search(r"Seats : 3 → 1 Counts from \w+ \d+, \d{4}\.", changes)
    assert re.search(
        r"Toll-free package : 2,500 minutes → 500 minutes Counts from \w+ 1, \d{4}\. "
        r"Smaller packages take effect on the 1st of next month\.",
        changes,
    )
    assert total.startswith("Each month $88.00")
    assert total.endswith("It is $290.00 as you hold it.")


@pytest.mark.parametrize(
    ("wanted", "told"),
    [
        (
            {"seats": SEAT_LIMIT + 1},
            f"it can hold at most {SEAT_LIMIT} concurrent-user seats; you asked for {SEAT_LIMIT + 1}",
        ),
        ({"package": "tf-500"}, "the toll-free package stays at Pay-per-use"),
        ({"channels": ["channel-social"]}, "Social is not sold with Contact Center Pro"),
        ({"storage": "nonsense"}, "is not sold as a recording storage"),
    ],
)
def test_what_can_not_be_bought_says_why_and_leaves_no_refusal(
    customer: Client, installed: Account, wanted: dict[str, Any], told: str
) -> None:
    changes, total = both(customer, **wanted)
    assert told in changes
    assert total == "No total: this can’t be bought."
    assert not Refusal.objects.exists(), "they only looked"


@pytest.mark.parametrize("seats", ["", "many", "-1", str(2**40), "9" * 5000, "\x00", "1.5"])
def test_seats_that_are_none_are_told_so(customer: Client, active: Account, seats: str) -> None:
    answer = customer.post(TOTAL, {**HELD, "seats": seats})
    assert answer.status_code == 200
    assert part(answer.content.decode(), "total-sum") == "No total: this can’t be bought."
    assert part(answer.content.decode(), "total-changes")
    assert customer.post(PAGE, {**HELD, "seats": seats, "show_total": "1"}).status_code in (200, 422)
    assert not Refusal.objects.exists()


def test_what_was_typed_stays_in_the_form(customer: Client, active: Account) -> None:
    text = customer.post(PAGE, {**HELD, "seats": 25, "storage": "storage-100", "show_total": "1"}).content.decode()
    assert re.search(r'name="seats" value="25"', text)
    assert re.search(r'value="storage-100" checked', text)


def test_without_javascript_there_is_a_button(customer: Client, active: Account) -> None:
    text = customer.get(PAGE).content.decode()
    assert '<noscript><button class="button" name="show_total" value="1">Show the new total</button></noscript>' in text
    assert re.search(r'<script src="/static/hostpilot/total\.[a-z0-9.]*js" defer></script>', text)
    assert f'data-total="{TOTAL}"' in text


def test_a_viewer_may_ask_what_it_would_cost(client: Client, active: Account, make_user: Callable[..., User]) -> None:
    viewer = make_user("vera@example.com")
    Contact.objects.create(account=active, user=viewer, role=Role.VIEWER)
    client.force_login(viewer)
    assert both(client, seats=2)[1].startswith("Each month $140.00")
    assert "Show the new total" not in client.get(PAGE).content.decode()


def test_nobody_else_is_told(client: Client, active: Account, make_account: Callable[..., Account]) -> None:
    assert client.post(TOTAL, HELD).url.startswith("/login/")
    client.force_login(make_account("200002").contacts.get().user)
    assert client.post(TOTAL, HELD).status_code == 404


def test_it_is_asked_by_post_alone(customer: Client, active: Account) -> None:
    assert customer.get(TOTAL).status_code == 405


def test_it_needs_the_same_queries_whatever_is_chosen(
    customer: Client, active: Account, owner: User, django_assert_num_queries: Any
) -> None:
    with django_assert_num_queries(QUERIES):
        customer.post(TOTAL, HELD)
    buy(active, owner, now=active.onboarding.activated_at, seats=3, package="tf-2500")
    wanted = {"seats": 9, "storage": "storage-500", "addons": ["addon-crm", "addon-wfm", "addon-screen"]}
    with django_assert_num_queries(QUERIES):
        customer.post(TOTAL, {**HELD, **wanted})
