"""The pages Install, Users and Phone Numbers as customers use them (R5, R14, R16)."""

import pytest
from django.test import Client

from accounts.models import Account, PhoneNumber, ServiceRole, ServiceUser, User
from subscriptions.models import ContactCenter

CENTER = "/accounts/100001/contact-center/"


@pytest.fixture
def customer(client: Client, owner: User) -> Client:
    client.force_login(owner)
    return client


@pytest.fixture
def ann(installed: Account) -> ServiceUser:
    return ServiceUser.objects.create(account=installed, name="Ann Agent", email="ann@example.com")


def test_install_is_chosen_and_confirmed(customer: Client, account: Account, catalogue: None) -> None:
    assert customer.get(CENTER, follow=True).redirect_chain[-1][0] == CENTER + "install/"
    page = customer.post(CENTER + "install/", {"edition": "cc-elite"})
    assert "Tick this box to confirm" in page.content.decode()
    assert not ContactCenter.objects.exists()
    page = customer.post(CENTER + "install/", {"edition": "cc-elite", "confirmed": "on"}, follow=True)
    assert "Your account is in onboarding mode now" in page.content.decode()
    assert "Onboarding mode is on" in page.content.decode()
    assert ContactCenter.objects.get().edition.sku == "cc-elite"


@pytest.mark.parametrize("edition", ["", "nonsense", "storage-5", "\x00"])
def test_an_edition_that_is_not_sold_is_refused(
    customer: Client, account: Account, catalogue: None, edition: str
) -> None:
    page = customer.post(CENTER + "install/", {"edition": edition, "confirmed": "on"})
    assert page.status_code == 422
    assert 'id="id_edition_error"' in page.content.decode()
    assert not ContactCenter.objects.exists()


def test_a_second_install_changes_nothing(customer: Client, installed: Account) -> None:
    customer.post(CENTER + "install/", {"edition": "cc-elite", "confirmed": "on"})
    assert ContactCenter.objects.get().edition.sku == "cc-pro"


def test_people_are_added_ticked_and_given_a_role(customer: Client, installed: Account, owner: User) -> None:
    page = customer.get(CENTER + "users/").content.decode()
    assert "Nobody on the list yet" in page
    customer.post(CENTER + "users/add/", {"name": "Ann Agent", "email": "Ann@Example.com"})
    ann = ServiceUser.objects.get()
    assert ann.email == "ann@example.com"
    page = customer.post(CENTER + "users/", {"people": ann.pk, "role": "team_leader"}, follow=True).content.decode()
    assert "Contact Center was assigned to 1 person." in page
    ann.refresh_from_db()
    assert ann.contact_center_role == ServiceRole.TEAM_LEADER
    assert ann.history.first().history_user == owner
    customer.post(CENTER + "users/", {"people": ann.pk, "role": "none"})
    ann.refresh_from_db()
    assert ann.contact_center_role == ""


def test_the_same_address_is_refused_at_its_field(customer: Client, ann: ServiceUser) -> None:
    page = customer.post(CENTER + "users/add/", {"name": "Another", "email": "ANN@example.com"})
    assert page.status_code == 422
    assert "Somebody with this e-mail address is already on the list." in page.content.decode()
    assert ServiceUser.objects.count() == 1


@pytest.mark.parametrize(
    "typed", [{}, {"people": "x"}, {"people": "9" * 30}, {"people": "1", "role": "king"}, {"people": "\x00"}]
)
def test_odd_ticks_are_refused_in_words(customer: Client, ann: ServiceUser, typed: dict[str, str]) -> None:
    page = customer.post(CENTER + "users/", {"role": "agent", **typed})
    assert page.status_code == 422
    ann.refresh_from_db()
    assert ann.contact_center_role == ""


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("q=ANN", ["Ann Agent"]),
        ("q=ben@", ["Ben Baker"]),
        ("show=with", ["Ben Baker"]),
        ("show=without", ["Ann Agent"]),
        ("q=zzz", []),
        ("page=abc&show=odd", ["Ann Agent", "Ben Baker"]),
        ("page=99999999999999999999", ["Ann Agent", "Ben Baker"]),
    ],
)
def test_people_are_searched_and_filtered(customer: Client, ann: ServiceUser, query: str, found: list[str]) -> None:
    ServiceUser.objects.create(
        account=ann.account, name="Ben Baker", email="ben@example.com", contact_center_role="agent"
    )
    page = customer.get(f"{CENTER}users/?{query}")
    assert [person.name for person in page.context["people"]] == found


def test_a_long_list_has_pages(customer: Client, installed: Account) -> None:
    ServiceUser.objects.bulk_create(
        ServiceUser(account=installed, name=f"Person {i:03}", email=f"p{i}@example.com") for i in range(120)
    )
    first, last = customer.get(CENTER + "users/?q=person"), customer.get(CENTER + "users/?q=person&page=3")
    assert len(first.context["people"]) == 50
    assert len(last.context["people"]) == 20
    assert "?q=person&amp;page=2" in first.content.decode()


def test_a_number_is_assigned_and_taken_back(customer: Client, installed: Account, toll_free: PhoneNumber) -> None:
    page = customer.get(CENTER + "phone-numbers/").content.decode()
    assert "(800) 555-0100" in page
    assert "Toll-free" in page
    page = customer.post(CENTER + "phone-numbers/", {"assign": toll_free.pk}, follow=True).content.decode()
    assert "is assigned to Contact Center now" in page
    assert toll_free.assignments.get().period.upper is None
    page = customer.post(CENTER + "phone-numbers/", {"assign": toll_free.pk}, follow=True).content.decode()
    assert "is already assigned" in page
    customer.post(CENTER + "phone-numbers/", {"unassign": toll_free.pk})
    assert toll_free.assignments.get().period.upper is not None


@pytest.mark.parametrize("key", ["", "x", "-1", "9" * 5000, "٣"])
def test_odd_numbers_answer_404(customer: Client, installed: Account, key: str) -> None:
    assert customer.post(CENTER + "phone-numbers/", {"assign": key}).status_code == 404


def test_no_numbers_says_where_they_come_from(customer: Client, installed: Account) -> None:
    assert (
        "Order local or toll-free numbers from our support" in customer.get(CENTER + "phone-numbers/").content.decode()
    )
