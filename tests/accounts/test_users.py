"""Users are identified by their email address, which is stored in lower case however it is entered."""

from collections.abc import Callable

import pytest
from django.contrib.auth import authenticate
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from accounts.models import Account, Contact, Role, User
from tests.conftest import PASSWORD
from tests.guarding import UPDATES, by_history_revert, by_save, named, nothing_written, refused_by


def test_an_address_is_kept_in_lower_case(make_user: Callable[..., User]) -> None:
    user = make_user("Olivia.Owner@Example.COM")
    assert user.email == "olivia.owner@example.com"
    user.email = "Olivia@Example.com"
    user.save()
    user.refresh_from_db()
    assert user.email == "olivia@example.com"


def test_a_user_is_found_however_the_address_is_written(make_user: Callable[..., User]) -> None:
    user = make_user("olivia@example.com")
    assert User.objects.get_by_natural_key("OLIVIA@example.com") == user
    assert authenticate(None, email="OLIVIA@example.com", password=PASSWORD) == user
    with pytest.raises(User.DoesNotExist):
        User.objects.get_by_natural_key(None)


def test_an_address_is_taken_once_in_any_case(make_user: Callable[..., User]) -> None:
    make_user("olivia@example.com")
    with nothing_written(), pytest.raises(IntegrityError, match="email"), transaction.atomic():
        make_user("OLIVIA@EXAMPLE.COM")
    with pytest.raises(ValidationError, match="already exists"):
        User(email="OLIVIA@EXAMPLE.COM", password="unused").full_clean()


# Without saves, which convert the address to lower case.
WAYS = [way for way in UPDATES if way not in (by_save, by_history_revert)]


@pytest.mark.parametrize("way", WAYS, ids=named)
def test_the_database_refuses_capitals(make_user: Callable[..., User], way: Callable[..., None]) -> None:
    user = make_user("olivia@example.com")
    with refused_by("user_email_is_lower_case"):
        way(user, email="Olivia@example.com")


@pytest.mark.parametrize("address", ["", "olivia", "olivia@", "two words@example.com"])
def test_what_is_not_an_address_is_refused(db: None, address: str) -> None:
    with pytest.raises(ValidationError) as refusal:
        User(email=address, password="unused").full_clean()
    assert set(refusal.value.error_dict) == {"email"}


def test_without_a_password_nobody_logs_in(db: None) -> None:
    user = User.objects.create_user("new@example.com")
    assert not user.has_usable_password()
    assert authenticate(None, email="new@example.com", password="") is None


def test_a_superuser_is_staff(db: None) -> None:
    user = User.objects.create_superuser("root@example.com", PASSWORD, is_staff=False)
    assert (user.is_staff, user.is_superuser) == (True, True)


def test_history_holds_no_password(make_user: Callable[..., User]) -> None:
    user = make_user("olivia@example.com")
    columns = {field.name for field in User.history.model._meta.fields}
    assert not columns & {"password", "last_login"}
    assert user.history.get().email == "olivia@example.com"


def test_a_name_where_there_is_one_else_the_address(make_user: Callable[..., User]) -> None:
    assert str(make_user("olivia@example.com", first_name="Olivia", last_name="Owner")) == "Olivia Owner"
    assert str(make_user("oscar@example.com")) == "oscar@example.com"


def test_a_user_whom_history_names_is_never_deleted(account: Account, owner: User) -> None:
    with nothing_written(), pytest.raises(IntegrityError), transaction.atomic():
        owner.delete()
    assert Contact.objects.get(account=account).role == Role.OWNER
