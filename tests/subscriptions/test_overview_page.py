"""The Overview tab: what is held, what it costs, the steps left before going live, and recent events."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client
from django.utils.html import escape

from accounts.actions import add_service_user
from accounts.events import recent_events
from accounts.models import Account, Contact, PhoneNumber, Role, User
from core.clock import database_now
from onboarding.actions import activate
from onboarding.rules import SEAT_LIMIT
from subscriptions.actions import assign_number, assign_users
from subscriptions.kinds import SWITCHED_TOGETHER
from tests.billing.bills import buy, called
from tests.conftest import INSTALLED

PAGE = "/accounts/100001/contact-center/"
QUERIES = 20
LATER = datetime(2026, 3, 16, 14, tzinfo=UTC)


@pytest.fixture
def customer(client: Client, owner: User) -> Client:
    client.force_login(owner)
    return client


def shown(client: Client) -> str:
    answer = client.get(PAGE)
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


def facts(text: str) -> dict[str, str]:
    """Return the terms and values of the page's description lists, without tags."""
    found = re.findall(r"<dt>(.*?)</dt> ?<dd>(.*?)</dd>", text)
    return {term: " ".join(re.sub(r"<[^>]+>", " ", said).split()) for term, said in found}


def test_in_onboarding_it_says_what_is_held_and_what_it_will_cost(
    customer: Client, installed: Account, owner: User
) -> None:
    buy(installed, owner, now=LATER, seats=2, channels=frozenset({"channel-voice", "channel-chat"}))
    text = shown(customer)
    said = facts(text)
    assert said["Edition"] == "Contact Center Pro"
    assert said[str(SWITCHED_TOGETHER)] == "Voice, Chat"
    assert said["Toll-free package"] == "Pay-per-use"
    assert said["In onboarding since"] == "March 5, 2026"
    assert said["This month, estimated"] == "$0.00"
    assert said["A whole month, once live"].startswith("$160.00")
    assert "2 seats × $70.00 = $140.00" in text
    assert f"2 of the {SEAT_LIMIT} seats you can hold in onboarding" in text
    assert f'<rect width="{200 // SEAT_LIMIT}" height="1"/>' in text


def test_the_checklist_links_to_where_each_is_done(customer: Client, installed: Account) -> None:
    text = shown(customer)
    steps = re.findall(r'<span><a href="([^"]+)">([^<]+)</a><br><span class="soft small">(\S+ ?\S*:)', text)
    assert steps == [
        (f"{PAGE}subscription/", "Buy seats", "To do:"),
        (f"{PAGE}subscription/", "Choose channels", "Done:"),
        (f"{PAGE}users/", "Assign users", "To do:"),
        (f"{PAGE}phone-numbers/", "Assign a phone number", "To do:"),
    ]


def test_once_live_there_is_no_checklist_and_no_limit(customer: Client, active: Account, owner: User) -> None:
    buy(active, owner, now=LATER, seats=25)
    text = shown(customer)
    said = facts(text)
    assert said["Live since"] == "March 16, 2026"
    assert said["This month, estimated"].startswith("$1,750.00")
    assert said["A whole month"].startswith("$1,750.00")
    assert "Before you go live" not in text
    assert "you can hold in onboarding" not in text


def test_a_package_that_waits_is_named_with_its_day(customer: Client, active: Account, owner: User) -> None:
    buy(active, owner, now=LATER, package="tf-2500")
    text = shown(customer)
    assert "counts until" not in text
    buy(active, owner, now=database_now(), package="tf-500")
    assert re.search(r"500 minutes<br><span [^>]*>2,500 minutes counts until \w+ 1, \d{4}\.", shown(customer))


def test_minutes_of_the_running_month_are_a_picture_with_its_figures(
    customer: Client, installed: Account, owner: User, toll_free: PhoneNumber
) -> None:
    assert "No call to a toll-free number of this account has been received this month." in shown(customer)
    Account.objects.filter(pk=installed.pk).update(created_at=datetime(2026, 1, 1, tzinfo=UTC))
    assign_number(installed, toll_free, by=owner, now=INSTALLED)
    today = installed.day_of(database_now())
    called("today", minutes=12, at=f"{today.replace(day=1)}T00:30:00-05:00")
    text = shown(customer)
    assert "<strong>12</strong> minutes, at most 12 on one day." in text
    assert re.search(
        r'<rect class="bar-of-day" x="0.0" y="0.0" width="[0-9.]+" height="160.0"><title>\w+ 1: 12 min', text
    )
    assert re.search(r'<th scope="row"><a href="[^"]+-01/">\w+ 1</a></th><td class="number">12</td>', text)
    assert facts(text)["This month, estimated"].startswith("$0.54"), "charged in onboarding too"


@pytest.mark.parametrize(
    ("role", "sees_events", "sees_billing"),
    [(Role.OWNER, True, True), (Role.VIEWER, True, True), (Role.TECHNICAL, False, False)],
)
def test_the_role_decides_what_is_on_it(
    client: Client, installed: Account, make_user: Callable[..., User], role: str, sees_events: bool, sees_billing: bool
) -> None:
    user = make_user("zoe@example.com")
    Contact.objects.create(account=installed, user=user, role=role)
    client.force_login(user)
    text = shown(client)
    assert ("Latest events" in text) is sees_events
    assert ('href="/accounts/100001/billing/usage/"' in text) is sees_billing
    assert ("Change the subscription" in text) is (role != Role.VIEWER)


def test_a_billing_manager_does_not_see_it(client: Client, installed: Account, make_user: Callable[..., User]) -> None:
    user = make_user("zoe@example.com")
    Contact.objects.create(account=installed, user=user, role=Role.BILLING)
    client.force_login(user)
    assert client.get(PAGE).status_code == 403


def test_without_contact_center_it_leads_to_the_install(customer: Client, account: Account) -> None:
    assert customer.get(PAGE).url == f"{PAGE}install/"


def test_the_last_five_events_say_what_happened(
    customer: Client, installed: Account, owner: User, member: User, toll_free: PhoneNumber
) -> None:
    person = add_service_user(installed, name="<i>Ann</i>", email="ann@example.com", by=owner)
    assign_users(installed, {person.pk: "agent"}, by=owner)
    customer.post(f"{PAGE}subscription/", {"seats": SEAT_LIMIT + 1, "storage": "storage-5", "package": "tf-payperuse"})
    activate(installed, by=member, reason="Ready")
    events = recent_events(installed, 5)
    text = shown(customer)
    assert len(re.findall(r"<li> <span>", text)) == len(events) == 5
    for event in events:
        assert escape(f"{event.action}: {event.item}" if event.item else event.action) in text
    assert "&lt;i&gt;Ann&lt;/i&gt;" in text
    assert "<i>Ann" not in text
    assert "· Olivia Owner" in text
    assert "· Onboarding team" in text


def test_the_page_needs_the_same_queries_whatever_happened(
    customer: Client, installed: Account, owner: User, toll_free: PhoneNumber, django_assert_num_queries: Any
) -> None:
    with django_assert_num_queries(QUERIES):
        shown(customer)
    assign_number(installed, toll_free, by=owner)
    buy(installed, owner, now=LATER, seats=2, addons=frozenset({"addon-crm", "addon-wfm"}), storage="storage-100")
    for number in range(3):
        add_service_user(installed, name=f"Ann {number}", email=f"ann{number}@example.com", by=owner)
    with django_assert_num_queries(QUERIES):
        shown(customer)
