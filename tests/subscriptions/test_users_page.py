"""The Users tab: search and filters, and roles set for selected users or in a user's own row (R16)."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import Account, Contact, Refusal, Role, ServiceUser, User
from subscriptions.actions import install
from tests.guarding import nothing_written

USERS = "/accounts/100001/contact-center/users/"
ROLES = {"Ann Agent": "agent", "Ben Baker": "", "Lea Leader": "team_leader", "Zoe Agent": "agent"}


@pytest.fixture
def customer(client: Client, owner: User) -> Client:
    client.force_login(owner)
    return client


@pytest.fixture
def people(installed: Account) -> dict[str, ServiceUser]:
    made = [
        ServiceUser.objects.create(
            account=installed, name=name, email=f"{name.split()[0].lower()}@example.com", contact_center_role=role
        )
        for name, role in ROLES.items()
    ]
    return {person.name.split()[0]: person for person in made}


@pytest.fixture
def many(installed: Account) -> Account:
    ServiceUser.objects.bulk_create(
        ServiceUser(account=installed, name=f"Person {i:03}", email=f"p{i}@example.com") for i in range(120)
    )
    return installed


def roles() -> dict[str, str]:
    return dict(ServiceUser.objects.order_by("name").values_list("name", "contact_center_role"))


def rows_of(page: Any) -> dict[str, str]:
    """Return the fields of the rows as a browser posts them if nothing was changed."""
    fields = {}
    for person in page.context["people"]:
        role = person.contact_center_role or "none"
        fields |= {f"role-{person.pk}": role, f"was-{person.pk}": role}
    return fields


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("show=agent", ["Ann Agent", "Zoe Agent"]),
        ("show=team_leader", ["Lea Leader"]),
        ("show=office_manager", []),
        ("show=with", ["Ann Agent", "Lea Leader", "Zoe Agent"]),
        ("show=without", ["Ben Baker"]),
        ("show=agent&q=zoe", ["Zoe Agent"]),
        ("q=agent+ann", ["Ann Agent"]),
        ("q=ann+example.com", ["Ann Agent"]),
        ("q=%25", []),
        ("q=_", []),
        ("q=" + "z+" * 80, ["Zoe Agent"]),
        ("show=%3Cb%3E", list(ROLES)),
    ],
)
def test_people_are_found(customer: Client, people: dict[str, ServiceUser], query: str, found: list[str]) -> None:
    page = customer.get(f"{USERS}?{query}")
    assert [person.name for person in page.context["people"]] == found
    text = page.content.decode()
    assert f"{len(found)} of 4 found" in " ".join(text.split())
    assert ("Nobody found" in text) == (not found)


def test_a_role_is_changed_in_its_own_row(customer: Client, people: dict[str, ServiceUser], owner: User) -> None:
    page = customer.get(USERS)
    ann, ben, zoe = people["Ann"], people["Ben"], people["Zoe"]
    changed = {f"role-{ann.pk}": "office_manager", f"role-{ben.pk}": "agent", f"role-{zoe.pk}": "none"}
    done = customer.post(USERS, {**rows_of(page), **changed, "role": "agent"}, follow=True)
    assert "The roles of 3 people were changed." in done.content.decode()
    assert roles() == {
        "Ann Agent": "office_manager",
        "Ben Baker": "agent",
        "Lea Leader": "team_leader",
        "Zoe Agent": "",
    }
    assert people["Lea"].history.count() == 1
    assert ann.history.first().history_user == owner


def test_rows_that_were_left_alone_undo_nothing_of_others(customer: Client, people: dict[str, ServiceUser]) -> None:
    page = customer.get(USERS)
    ServiceUser.objects.filter(name="Lea Leader").update(contact_center_role="office_manager")
    customer.post(USERS, {**rows_of(page), f"role-{people['Ann'].pk}": "team_leader", "role": "agent"})
    assert roles()["Lea Leader"] == "office_manager"
    assert roles()["Ann Agent"] == "team_leader"


def test_who_is_ticked_gets_the_role_of_the_ticked(customer: Client, people: dict[str, ServiceUser]) -> None:
    ann, ben = people["Ann"], people["Ben"]
    rows = {**rows_of(customer.get(USERS)), f"role-{ann.pk}": "none"}
    customer.post(USERS, {**rows, "people": [ann.pk, ben.pk], "role": "call_center_manager"})
    assert (roles()["Ann Agent"], roles()["Ben Baker"]) == ("call_center_manager",) * 2


def test_nothing_ticked_and_nothing_changed_is_said(customer: Client, people: dict[str, ServiceUser]) -> None:
    with nothing_written(but=(Refusal,)):
        page = customer.post(USERS, {**rows_of(customer.get(USERS)), "role": "agent"})
    assert page.status_code == 422
    assert "Tick at least one person, or choose another role in a row." in page.content.decode()


@pytest.mark.parametrize("role", ["king", "", "\0"])
def test_ticks_stay_when_the_role_is_refused(customer: Client, people: dict[str, ServiceUser], role: str) -> None:
    ben = people["Ben"]
    with nothing_written(but=(Refusal,)):
        page = customer.post(USERS, {"people": ben.pk, "role": role})
    assert page.status_code == 422
    text = page.content.decode()
    assert 'id="id_role_error"' in text
    assert f'value="{ben.pk}" id="person-{ben.pk}" aria-label="Tick Ben Baker" checked' in text


@pytest.mark.parametrize("key", ["", "x", "-1", "9" * 30, "٣", "999999999"])
def test_rows_that_can_not_be_change_nothing(customer: Client, people: dict[str, ServiceUser], key: str) -> None:
    with nothing_written(but=(Refusal,)):
        assert customer.post(USERS, {f"role-{key}": "agent", "role": "agent"}).status_code == 422


def test_an_unknown_role_in_a_row_is_refused(customer: Client, people: dict[str, ServiceUser]) -> None:
    with nothing_written(but=(Refusal,)):
        page = customer.post(USERS, {f"role-{people['Ben'].pk}": "king", "role": "agent"})
    assert page.status_code == 422
    assert "Choose one of the roles of the list." in page.content.decode()
    assert Refusal.objects.get().rule == "unknown_role"


def test_rows_of_another_account_are_refused(
    customer: Client, people: dict[str, ServiceUser], make_account: Callable[..., Account], owner: User
) -> None:
    other = make_account("200002", owner=owner)
    install(other, edition="cc-pro", by=owner)
    there = USERS.replace("100001", "200002")
    with nothing_written(but=(Refusal,)):
        page = customer.post(there, {f"role-{people['Ben'].pk}": "agent", "role": "agent"})
    assert page.status_code == 422
    assert "Ben" not in page.content.decode()


def test_all_who_were_found_are_ticked_at_once(customer: Client, many: Account, owner: User) -> None:
    ServiceUser.objects.create(account=many, name="Ann", email="ann@example.com")
    page = customer.get(USERS + "?q=person")
    assert "Tick all 120 people found, on every page" in page.content.decode()
    done = customer.post(USERS + "?q=person&page=2", {"everybody": 120, "role": "agent"})
    assert done.url == USERS + "?q=person&page=2"
    assert list(roles().values()) == [""] + ["agent"] * 120
    assert ServiceUser.history.filter(history_type="~", history_user=owner).count() == 120


def test_all_who_were_found_are_counted_again(customer: Client, many: Account) -> None:
    with nothing_written(but=(Refusal,)):
        page = customer.post(USERS + "?q=person", {"everybody": 119, "role": "agent"})
    assert page.status_code == 422
    assert "The list has changed: 119 people were found, now 120." in page.content.decode()
    assert Refusal.objects.get().rule == "list_changed"


@pytest.mark.parametrize("count", ["x", "0", "-1", "9" * 40, "\0"])
def test_counts_that_can_not_be_are_refused(customer: Client, many: Account, count: str) -> None:
    with nothing_written(but=(Refusal,)):
        assert customer.post(USERS, {"everybody": count, "role": "agent"}).status_code == 422


def test_search_filter_and_page_survive_what_is_done(customer: Client, many: Account) -> None:
    query = "?q=person&show=without&page=2"
    key = ServiceUser.objects.get(name="Person 070").pk
    page = customer.post(USERS + query, {"people": key, "role": "agent"})
    assert page.url == USERS + query
    page = customer.get(USERS + query)
    add = USERS + "add/"
    assert f'action="{add}?q=person&amp;show=without&amp;page=2"' in page.content.decode()
    done = customer.post(add + query, {"name": "Person 500", "email": "p500@example.com"})
    assert done.url == USERS + query
    refused = customer.post(add + query, {"name": "", "email": "p501@example.com"})
    assert refused.status_code == 422
    assert refused.context["people"].number == 2
    assert refused.context["q"] == "person"


def test_the_last_page_is_shown_when_people_leave_it(customer: Client, many: Account) -> None:
    last = list(ServiceUser.objects.order_by("name").values_list("pk", flat=True))[100:]
    page = customer.post(USERS + "?show=without&page=3", {"people": last, "role": "agent"}, follow=True)
    assert (page.status_code, page.context["people"].number) == (200, 2)


def test_who_may_only_look_sees_roles_without_fields(
    client: Client, people: dict[str, ServiceUser], installed: Account, make_user: Callable[..., User]
) -> None:
    viewer = make_user("vera@example.com")
    Contact.objects.create(account=installed, user=viewer, role=Role.VIEWER)
    client.force_login(viewer)
    text = client.get(USERS).content.decode()
    assert "Team Leader</span>" in text
    assert "Import from a file" not in text
    assert 'name="role-' not in text
    with nothing_written(but=(Refusal,)):
        assert client.post(USERS, {f"role-{people['Ben'].pk}": "agent"}).status_code == 403
        assert client.post(USERS, {"everybody": 4, "role": "agent"}).status_code == 403


def test_pages_and_changes_take_a_fixed_number_of_queries(customer: Client, installed: Account, owner: User) -> None:
    counts = []
    for count in (1, 200):
        ServiceUser.objects.bulk_create(
            ServiceUser(account=installed, name=f"P {count} {i}", email=f"p{count}-{i}@example.com")
            for i in range(count)
        )
        found = ServiceUser.objects.count()
        with CaptureQueriesContext(connection) as read:
            customer.get(USERS + "?q=p")
        with CaptureQueriesContext(connection) as written:
            assert customer.post(USERS + "?q=p", {"everybody": found, "role": "agent"}).status_code == 302
        counts.append((len(read), len(written)))
    assert counts[0] == counts[1]
    assert counts[0][0] <= 10
    assert counts[0][1] <= 22
