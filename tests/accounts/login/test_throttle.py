"""Failures to log in are counted, so that nobody guesses a password and nobody keeps its owner out."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.core.cache import cache
from django.core.signing import loads
from django.test import Client
from django.utils import timezone

from accounts.login.throttle import COOKIE, MOST_LINKS, MOST_USERS, SALT
from accounts.models import Account, User
from core.outbox.models import OutgoingEmail
from tests.accounts.login.logging_in import LOGIN, log_in, logged_in
from tests.conftest import PASSWORD
from tests.mailing import delivered

RESET = "/login/password/reset/"
BETTER = "another good horse"


@pytest.fixture(autouse=True)
def nothing_counted(db: None) -> None:
    cache.clear()


def machine(number: int) -> Client:
    return Client(REMOTE_ADDR=f"203.0.113.{number}")


def fails(client: Client, user: User, times: int) -> None:
    for _ in range(times):
        log_in(client, user, password="wrong")


def gets_in(client: Client, user: User, password: str = PASSWORD) -> bool:
    return client.post(LOGIN, {"login": user.email, "password": password}).status_code == 302


def test_a_stranger_locks_out_only_their_own_machine(account: Account, owner: User) -> None:
    stranger = machine(1)
    fails(stranger, owner, 5)
    stopped = log_in(stranger, owner).content.decode()
    assert "Too many failed login attempts" in stopped
    assert f'href="{RESET}"' in stopped
    assert not gets_in(stranger, owner)
    assert gets_in(machine(2), owner)


def test_all_machines_together_have_a_limit_too(account: Account, owner: User) -> None:
    for number in range(10):
        fails(machine(number), owner, 5)
    assert not gets_in(machine(99), owner)
    with time_machine.travel(timezone.now() + timedelta(minutes=5, seconds=1)):
        assert gets_in(machine(99), owner)


def test_a_browser_that_logged_in_before_is_not_locked_out_by_strangers(account: Account, owner: User) -> None:
    known = logged_in(owner)
    known.post("/logout/")
    for number in range(10):
        fails(machine(number), owner, 5)
    fails(Client(), owner, 5)  # on the same machine
    assert gets_in(known, owner)


def test_a_known_browser_has_a_limit_as_strict(account: Account, owner: User) -> None:
    known = logged_in(owner)
    known.post("/logout/")
    fails(known, owner, 5)
    assert not gets_in(known, owner)
    assert gets_in(machine(2), owner), "its failures are no strangers'"


def test_the_cookie_is_for_its_user_alone(account: Account, owner: User, member: User) -> None:
    """Whoever has a login of their own can't use its cookie to guess somebody else's password."""
    known = logged_in(member)
    known.post("/logout/")
    fails(known, owner, 5)
    assert not gets_in(known, owner)
    with time_machine.travel(timezone.now() + timedelta(minutes=6)):
        for number in range(10):
            fails(machine(number), owner, 5)
        assert not gets_in(known, owner)


def test_the_cookie_dies_with_the_password(account: Account, owner: User) -> None:
    known = logged_in(owner)
    known.post("/logout/")
    owner.set_password(BETTER)
    owner.save()
    for number in range(10):
        fails(machine(number), owner, 5)
    assert not gets_in(known, owner, BETTER)


@pytest.mark.parametrize("cookie", ["", "junk", "W10:1tx:abc", "é"])
def test_a_cookie_that_is_not_ours_is_nobodys(cookie: str, account: Account, owner: User) -> None:
    client = Client()
    client.cookies[COOKIE] = cookie
    assert gets_in(client, owner)


def test_the_cookie_names_a_few_users_and_no_script_reads_it(db: None, make_user: Any) -> None:
    client = Client()
    for number in range(MOST_USERS + 2):
        assert gets_in(client, make_user(f"u{number}@example.com"))
        client.post("/logout/")
    cookie = client.cookies[COOKIE]
    assert len(loads(cookie.value, salt=SALT)) == MOST_USERS
    assert (cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, "Lax", "/login/")


def test_successes_do_not_count(account: Account, owner: User) -> None:
    for _ in range(8):
        assert gets_in(machine(1), owner)


def test_the_host_of_the_request_makes_no_new_count(account: Account, owner: User, settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["*"]
    for number in range(5):
        form = {"login": owner.email, "password": "wrong"}
        machine(1).post(LOGIN, form, headers={"Host": f"h{number}.example.com"})
    assert not gets_in(machine(1), owner)


def test_whoever_resets_their_password_gets_in_at_once(account: Account, owner: User) -> None:
    client = machine(1)
    fails(client, owner, 5)
    client.post(RESET, {"email": owner.email})
    link = next(word for word in str(delivered()[-1].body).split() if "/reset/key/" in word)
    form = client.get(link.removeprefix("http://localhost:8000"), follow=True).redirect_chain[-1][0]
    assert client.post(form, {"password1": BETTER, "password2": BETTER}).status_code == 302
    assert gets_in(client, owner, BETTER)


def test_nobody_keeps_a_user_from_asking_for_a_link(account: Account, owner: User) -> None:
    """Others' requests don't stop the page, and don't fill the user's mailbox either."""
    answers = {machine(number).post(RESET, {"email": owner.email}).status_code for number in range(MOST_LINKS + 5)}
    assert answers == {302}
    assert OutgoingEmail.objects.filter(data__what="reset_link").count() == MOST_LINKS
    owner.refresh_from_db()
    assert len([message for message in delivered() if message.to == [owner.email]]) == MOST_LINKS
