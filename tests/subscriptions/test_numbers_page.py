"""The Phone Numbers tab: search in any notation, national notation, and pages for hundreds of numbers (R16)."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import Account, Contact, PhoneNumber, Role, User
from subscriptions.actions import assign_number, unassign_number

NUMBERS = "/accounts/100001/contact-center/phone-numbers/"


@pytest.fixture
def customer(client: Client, owner: User) -> Client:
    client.force_login(owner)
    return client


@pytest.fixture
def numbers(installed: Account, owner: User, make_account: Callable[..., Account]) -> None:
    for number in ("+12125550123", "+13105550199", "+18005550100", "+18885550111"):
        phone = PhoneNumber.objects.create(account=installed, number=number)
        if number in ("+12125550123", "+18005550100"):
            assign_number(installed, phone, by=owner)
    unassign_number(installed, PhoneNumber.objects.get(number="+12125550123"), by=owner)
    PhoneNumber.objects.create(account=make_account("200002"), number="+12125550124")


def shown(page: Any) -> list[str]:
    return [number.national for number in page.context["numbers"]]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["(212) 555-0123", "(310) 555-0199", "(800) 555-0100", "(888) 555-0111"]),
        ("q=%28212%29+555-0123", ["(212) 555-0123"]),
        ("q=%2B1+212.555.0123", ["(212) 555-0123"]),
        ("q=5550", ["(212) 555-0123", "(310) 555-0199", "(800) 555-0100", "(888) 555-0111"]),
        ("q=212", ["(212) 555-0123"]),
        ("q=Acme", []),
        ("kind=toll_free", ["(800) 555-0100", "(888) 555-0111"]),
        ("kind=local", ["(212) 555-0123", "(310) 555-0199"]),
        ("show=assigned", ["(800) 555-0100"]),
        ("show=unassigned&kind=local", ["(212) 555-0123", "(310) 555-0199"]),
        ("kind=odd&show=odd&page=x", ["(212) 555-0123", "(310) 555-0199", "(800) 555-0100", "(888) 555-0111"]),
    ],
)
def test_numbers_are_found(customer: Client, numbers: None, query: str, found: list[str]) -> None:
    page = customer.get(f"{NUMBERS}?{query}")
    assert shown(page) == found
    assert ("No such number" in page.content.decode()) == (not found)


def test_a_number_is_shown_in_national_form_with_e164_beside_and_its_kind_as_text_and_picture(
    customer: Client, numbers: None
) -> None:
    text = " ".join(customer.get(NUMBERS + "?q=800").content.decode().split())
    assert '(800) 555-0100 <span class="e164">+18005550100</span>' in text
    assert "</svg>Toll-free</span>" in text
    local = " ".join(customer.get(NUMBERS + "?q=310").content.decode().split())
    assert "</svg>Local</span>" in local
    assert "style=" not in text + local


def test_search_filter_and_page_survive_an_assignment(customer: Client, numbers: None) -> None:
    number = PhoneNumber.objects.get(number="+13105550199")
    query = "?q=555&kind=local&show=unassigned"
    assert customer.post(NUMBERS + query, {"assign": number.pk}).url == NUMBERS + query
    assert number.assignments.current().exists()


def test_numbers_of_others_are_neither_found_nor_assigned(customer: Client, numbers: None) -> None:
    theirs = PhoneNumber.objects.get(number="+12125550124")
    assert shown(customer.get(NUMBERS + "?q=212-555-0124")) == []
    assert customer.post(NUMBERS, {"assign": theirs.pk}).status_code == 404
    assert not theirs.assignments.exists()


def test_hundreds_of_numbers_have_pages_of_a_fixed_number_of_queries(customer: Client, installed: Account) -> None:
    counts = []
    for first, count in ((100, 1), (200, 300)):
        for last in range(count):
            PhoneNumber.objects.create(account=installed, number=f"+1212555{first + last:04}")
        with CaptureQueriesContext(connection) as queries:
            page = customer.get(NUMBERS + "?q=212&show=unassigned")
        counts.append(len(queries))
    assert len(page.context["numbers"]) == 50
    assert "Page 1 of 7" in page.content.decode()
    assert "?q=212&amp;show=unassigned&amp;page=2" in page.content.decode()
    assert counts[0] == counts[1] <= 11


def test_who_may_only_look_has_no_buttons(
    client: Client, numbers: None, installed: Account, make_user: Callable[..., User]
) -> None:
    viewer = make_user("vera@example.com")
    Contact.objects.create(account=installed, user=viewer, role=Role.VIEWER)
    client.force_login(viewer)
    text = client.get(NUMBERS).content.decode()
    assert "(212) 555-0123" in text
    assert 'name="assign"' not in text


@pytest.mark.parametrize("typed", ["(212) 555-0177", "1-212-555-0177", "212.555.0177", "+12125550177"])
def test_staff_type_a_number_in_any_way(client: Client, account: Account, member: User, typed: str) -> None:
    client.force_login(member)
    page = client.post("/admin/accounts/phonenumber/add/", {"account": account.pk, "number": typed})
    assert page.status_code == 302
    assert PhoneNumber.objects.get().number.as_e164 == "+12125550177"
