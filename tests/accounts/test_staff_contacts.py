"""Staff can't make themselves contacts of customers, who get the customer's email and act as the customer."""

from collections.abc import Callable

import pytest
from django.core.exceptions import ValidationError
from django.test import Client

from accounts.actions import save_contact, save_user
from accounts.models import Account, Contact, Role, User
from accounts.staff_contacts import check_staff_contacts
from tests.conftest import codes


@pytest.fixture
def as_root(root: User) -> Client:
    client = Client()
    client.force_login(root)
    return client


def test_staff_are_no_contacts(account: Account, member: User, make_user: Callable[..., User]) -> None:
    with pytest.raises(ValidationError) as refusal:
        save_contact(Contact(account=account, user=member, role=Role.OWNER), by=member)
    assert codes(refusal.value) == {("user", "staff_contact")}
    assert save_contact(Contact(account=account, user=make_user("new@example.com"), role=Role.VIEWER), by=member).pk


def test_the_form_says_so_at_the_field(account: Account, member: User, as_root: Client) -> None:
    answer = as_root.post("/admin/accounts/contact/add/", {"account": account.pk, "user": member.pk, "role": "owner"})
    assert answer.status_code == 200
    assert "tom@example.com is a login of staff." in str(answer.context["adminform"].form.errors["user"])
    assert not Contact.objects.filter(user=member).exists()


def test_a_contact_does_not_become_staff(account: Account, owner: User, root: User, as_root: Client) -> None:
    owner.is_staff = True
    with pytest.raises(ValidationError) as refusal:
        save_user(owner, by=root)
    assert codes(refusal.value) == {("__all__", "staff_contact")}
    change = f"/admin/accounts/user/{owner.pk}/change/"
    form = as_root.get(change).context["adminform"].form
    typed = {name: value for name, value in form.initial.items() if value not in (None, [])}
    answer = as_root.post(change, {**typed, "is_staff": "on", "first_name": "Typed"})
    assert answer.status_code == 200
    assert "This user is a contact of 100001." in answer.content.decode()
    assert answer.context["adminform"].form["first_name"].value() == "Typed"
    assert not User.objects.get(pk=owner.pk).is_staff


def test_those_of_before_are_listed_and_can_still_be_changed(account: Account, owner: User, root: User) -> None:
    assert check_staff_contacts(databases=["default"]) == []
    User.objects.filter(pk=owner.pk).update(is_staff=True)
    [warning] = check_staff_contacts(databases=["default"])
    assert (warning.id, "olivia@example.com of 100001" in warning.msg) == ("accounts.W001", True)
    owner.refresh_from_db()
    owner.first_name = "Olga"
    assert save_user(owner, by=root).first_name == "Olga"
