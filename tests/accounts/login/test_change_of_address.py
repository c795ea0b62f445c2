"""Users change their own email address, only by a link that is sent to the new one."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine
from allauth.account.models import EmailAddress
from django.core import mail
from django.test import Client
from django.utils import timezone

from accounts.models import Account, User
from core.outbox.models import OutgoingEmail
from tests.accounts.login.logging_in import YOU, log_in, logged_in, show_password
from tests.accounts.pages import page
from tests.conftest import PASSWORD
from tests.guarding import nothing_written
from tests.mailing import SITE, delivered

NEW = "olivia@new.example.com"


def ask(client: Client, address: str = NEW) -> str | None:
    """Ask for the address, and return the path of the link that was sent, or None."""
    show_password(client)
    mail.outbox.clear()
    client.post(YOU + "address/", {"email": address})
    found = re.search(rf"{SITE}(/login/you/\S+)", "".join(message.body for message in delivered()))
    return found[1] if found else None


def test_only_the_link_changes_it_and_both_addresses_are_told(account: Account, owner: User) -> None:
    client = logged_in(owner)
    with nothing_written(but=(OutgoingEmail,)):
        link = ask(client, "Olivia@New.Example.com")
        assert [message.to for message in mail.outbox] == [[NEW], ["olivia@example.com"]]
        assert link not in mail.outbox[1].body
        assert "From now on you log in with" in client.get(link).content.decode()
    assert not EmailAddress.objects.filter(email=NEW).exists()
    assert "are not correct" in log_in(Client(), User(email=NEW)).content.decode()

    mail.outbox.clear()
    assert client.post(link)["Location"] == YOU
    assert [message.to for message in delivered()] == [["olivia@example.com"]]
    owner.refresh_from_db()
    assert owner.email == NEW
    assert owner.history.latest().history_user == owner
    assert set(EmailAddress.objects.values_list("email", flat=True)) <= {NEW}
    assert "Log out" in log_in(Client(), owner).content.decode()
    assert "are not correct" in log_in(Client(), User(email="olivia@example.com")).content.decode()
    assert client.post(link).status_code == 422


def test_the_admin_shows_the_new_address_at_once(account: Account, owner: User, root: User) -> None:
    client = logged_in(owner)
    client.post(ask(client))
    assert f'value="{NEW}"' in logged_in(root).get(page(User, "change", owner.pk)).content.decode()


def void(client: Client, link: str) -> None:
    """Assert that the link no longer does anything."""
    with nothing_written():
        for answer in (client.get(link), client.post(link)):
            assert answer.status_code == 422
            assert "Ask for a new one" in answer.content.decode()


def test_a_link_is_void_after_a_day(account: Account, owner: User) -> None:
    client = logged_in(owner)
    link = ask(client)
    with time_machine.travel(timezone.now() + timedelta(hours=24, minutes=1)):
        void(client, link)


def test_a_link_is_void_once_the_address_or_the_password_changed(account: Account, owner: User, root: User) -> None:
    client = logged_in(owner)
    first, second = ask(client), ask(client, "other@example.com")
    client.post(second)
    void(client, first)
    third = ask(client)
    change = {"oldpassword": PASSWORD, "password1": "another good horse", "password2": "another good horse"}
    client.post("/login/password/change/", change)
    owner.refresh_from_db()
    assert owner.check_password("another good horse")
    client.force_login(owner)
    void(client, third)


def test_a_link_is_for_him_alone_and_only_while_he_is_logged_in(account: Account, owner: User, member: User) -> None:
    link = ask(logged_in(owner))
    assert Client().get(link)["Location"].startswith("/login/?next=")
    assert Client().post(link).status_code == 302
    void(logged_in(member), link)
    void(logged_in(owner), link[:-3] + "xx/")


def test_who_asks_is_not_told_that_an_address_is_taken(
    account: Account, owner: User, make_user: Callable[..., User]
) -> None:
    make_user("taken@example.com")
    client = logged_in(owner)
    show_password(client)
    free, taken = (client.post(YOU + "address/", {"email": address}) for address in (NEW, "Taken@example.com"))
    same = [re.sub(rf"{NEW}|taken@example.com|value=\"\w+\"", "", page.content.decode()) for page in (free, taken)]
    assert same[0] == same[1]
    assert "A mail is on its way" in same[0]
    told = next(message for message in delivered() if message.to == ["taken@example.com"])
    assert "already has a login" in told.body
    assert "http" not in told.body


def test_an_address_that_was_taken_meanwhile_is_refused_in_words(
    account: Account, owner: User, make_user: Callable[..., User]
) -> None:
    client = logged_in(owner)
    link = ask(client)
    make_user(NEW)
    with nothing_written():
        answer = client.post(link)
    assert answer.status_code == 422
    assert "Somebody logs in with this address already" in answer.content.decode()


@pytest.mark.parametrize("address", ["", "olivia", "Olivia@example.com", "a@b\x00.com", "x" * 250 + "@example.com"])
def test_what_can_not_be_is_refused_at_its_field(account: Account, owner: User, address: str) -> None:
    client = logged_in(owner)
    show_password(client)
    mail.outbox.clear()
    answer = client.post(YOU + "address/", {"email": address})
    assert answer.status_code == 422
    assert 'id="id_email_error"' in answer.content.decode()
    assert delivered() == []


def test_five_tries_an_hour(account: Account, owner: User) -> None:
    client = logged_in(owner)
    show_password(client)
    for number in range(5):
        assert client.post(YOU + "address/", {"email": f"n{number}@example.com"}).status_code == 200
    delivered().clear()
    stopped = client.post(YOU + "address/", {"email": NEW})
    assert stopped.status_code == 429
    assert "Try again in 60 minutes." in stopped.content.decode()
    assert 3_500 < int(stopped["Retry-After"]) <= 3_600
    assert delivered() == []
