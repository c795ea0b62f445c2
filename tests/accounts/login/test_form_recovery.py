"""What was typed outlives the session, only for the user who typed it, and is never submitted automatically."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from accounts.login.form_recovery import KEPT, MOST_CHARACTERS, WHO
from accounts.models import Account, Contact, Role, User
from tests.accounts.login.logging_in import LOGIN, log_in, logged_in
from tests.guarding import nothing_written

CENTER = "/accounts/100001/contact-center/"
ADD = CENTER + "users/add/"
USERS = CENTER + "users/"
ANN = {"name": "Ann “A” Agent", "email": "ann@example.com"}
HERE = {"Referer": f"http://testserver{USERS}"}
SAME_SITE = {**HERE, "Sec-Fetch-Site": "same-origin"}


def lose_session(client: Client) -> None:
    """Delete the session, as if it had expired or was ended elsewhere; the browser keeps its cookies."""
    client.session.flush()


def text(answer: Any) -> str:
    return answer.content.decode()


def test_it_is_in_the_form_again_after_log_in_and_nothing_was_sent(installed: Account, owner: User) -> None:
    client = logged_in(owner)
    lose_session(client)
    with nothing_written():
        asked = client.post(ADD, ANN, headers=HERE)
        assert asked["Location"] == f"{LOGIN}?next={USERS.replace('/', '%2F')}"
        assert "you find what you typed in its form" in text(client.get(asked["Location"]))
    page = log_in(client, owner, next=USERS)
    assert page.redirect_chain[-1][0] == USERS
    assert "Nothing was sent yet." in text(page)
    assert 'value="Ann “A” Agent"' in text(page)
    assert 'value="ann@example.com"' in text(page)
    assert not installed.service_users.exists()
    assert "Nothing was sent yet." not in text(client.get(USERS))
    client.post(ADD, ANN, headers=HERE)
    assert installed.service_users.get().email == "ann@example.com"


def test_ticks_and_choices_come_back_in_place_of_what_is_stored(installed: Account, owner: User) -> None:
    client = logged_in(owner)
    page = CENTER + "subscription/"
    assert 'value="chat" checked' not in text(client.get(page))
    lose_session(client)
    client.post(page, {"seats": "2", "items": ["chat"], "storage": "storage-5", "package": "tf-payperuse"})
    filled = text(log_in(client, owner, next=page))
    assert "Nothing was sent yet." in filled
    assert 'name="seats" value="2"' in " ".join(filled.split())


def test_another_person_at_the_same_browser_does_not_find_it(installed: Account, owner: User, make_user: Any) -> None:
    colleague = make_user("carl@example.com")
    Contact.objects.create(account=installed, user=colleague, role=Role.OWNER)
    client = logged_in(owner)
    lose_session(client)
    client.post(ADD, ANN, headers=HERE)
    assert "Ann" not in text(log_in(client, colleague, next=USERS))
    client.post("/logout/")
    assert "Ann" not in text(log_in(client, owner, next=USERS))


def test_without_knowing_who_it_was_nothing_is_kept(installed: Account, owner: User) -> None:
    for cookie in (None, "made-up", f"{owner.pk}:made:up"):
        client = Client()
        if cookie:
            client.cookies[WHO] = cookie
        assert client.post(ADD, ANN, headers=HERE)["Location"].startswith(LOGIN)
        assert KEPT not in client.session
        assert "Ann" not in text(log_in(client, owner, next=USERS))


def test_it_is_kept_for_half_an_hour(installed: Account, owner: User) -> None:
    client = logged_in(owner)
    lose_session(client)
    client.post(ADD, ANN, headers=HERE)
    with time_machine.travel(timezone.now() + timedelta(minutes=31)):
        assert "Ann" not in text(log_in(client, owner, next=USERS))
    assert KEPT not in client.session


def test_secrets_and_files_are_never_kept(installed: Account, owner: User, root: User) -> None:
    client = logged_in(root)
    lose_session(client)
    typed = {"email": "new@example.com", "password1": "hunter2hunter2", "usable_password": "true", "csrf_token": "abc"}
    client.post("/admin/accounts/user/add/", {**typed, "photo": SimpleUploadedFile("a.csv", b"hunter2")})
    page = text(log_in(client, root, next="/admin/accounts/user/add/"))
    assert "Nothing was sent yet." in page
    assert "Choose your file once more." in page
    assert 'value="new@example.com"' in page
    assert "hunter2" not in page


@pytest.mark.parametrize("path", ["/login/you/address/", "/login/password/change/", "/login/you/places/end/"])
def test_nothing_of_the_log_in_itself_is_kept(installed: Account, owner: User, path: str) -> None:
    client = logged_in(owner)
    lose_session(client)
    client.post(path, {"email": "x@example.com"})
    assert KEPT not in client.session


def test_too_much_is_not_kept(installed: Account, owner: User) -> None:
    client = logged_in(owner)
    lose_session(client)
    client.post(ADD, {**ANN, "note": "x" * MOST_CHARACTERS}, headers=HERE)
    assert KEPT not in client.session


def test_where_the_form_is_gone_what_was_typed_is_listed(installed: Account, owner: User, make_user: Any) -> None:
    client = logged_in(owner)
    lose_session(client)
    client.post(ADD, {**ANN, "name": "<b>Ann</b>"}, headers=HERE)
    Contact.objects.filter(user=owner).update(role=Role.VIEWER)
    page = text(log_in(client, owner, next=USERS))
    assert "is not on this page any more" in page
    assert "<dd>&lt;b&gt;Ann&lt;/b&gt;</dd>" in page


def test_a_page_elsewhere_is_never_gone_back_to(installed: Account, owner: User) -> None:
    for referer in ("https://evil.example.com/x", "//evil.example.com/x", "http://testserver:81/", "javascript:x", ""):
        client = logged_in(owner)
        lose_session(client)
        asked = client.post(ADD, ANN, headers={"Referer": referer})
        assert asked["Location"] == f"{LOGIN}?next={ADD.replace('/', '%2F')}", referer


# A CSRF token that is too old, as after a login in another tab ------------------------------------------------------


@pytest.fixture
def strict(installed: Account, owner: User) -> Client:
    """A client whose pages are too old: it posts with a CSRF token from before another login."""
    client = Client(enforce_csrf_checks=True)
    client.force_login(owner)
    client.get(USERS)
    client.cookies[settings.CSRF_COOKIE_NAME] = "a" * 32
    return client


def test_after_a_log_in_in_another_tab_it_is_in_the_form_again(strict: Client, installed: Account) -> None:
    answer = strict.post(ADD, {**ANN, "csrfmiddlewaretoken": "b" * 32}, headers=SAME_SITE)
    assert answer["Location"] == USERS
    page = text(strict.get(USERS))
    assert "Nothing was sent yet." in page
    assert 'value="ann@example.com"' in page
    assert not installed.service_users.exists()


@pytest.mark.parametrize(
    "headers",
    [
        {},
        HERE,
        {**HERE, "Sec-Fetch-Site": "cross-site"},
        {**HERE, "Sec-Fetch-Site": "same-site", "Origin": "http://testserver"},
        {**HERE, "Sec-Fetch-Site": "none"},
        {**HERE, "Origin": "https://evil.example.com"},
        {**HERE, "Origin": "null"},
    ],
)
def test_what_another_site_made_up_is_never_put_into_a_form(strict: Client, headers: dict[str, str]) -> None:
    answer = strict.post(ADD, {**ANN, "csrfmiddlewaretoken": "b" * 32}, headers=headers)
    assert answer.status_code == 403
    assert "This page is too old" in text(answer)
    assert "Ann" not in text(strict.get(USERS))


def test_a_browser_without_cookies_is_told_so(installed: Account) -> None:
    answer = Client(enforce_csrf_checks=True).post(LOGIN, {"login": "x"}, headers={"Sec-Fetch-Site": "same-origin"})
    assert answer.status_code == 403
    assert "Your browser keeps no cookies" in text(answer)


def test_a_second_log_in_form_goes_where_the_first_went(strict: Client) -> None:
    posted = {"login": "olivia@example.com", "password": "x", "csrfmiddlewaretoken": "b" * 32}
    for following, where in ((USERS, USERS), ("https://evil.example.com/", "home"), ("", "home")):
        answer = strict.post(LOGIN, {**posted, "next": following}, headers=SAME_SITE)
        assert answer.status_code == 302
        assert answer["Location"] == ("/" if where == "home" else where)


def test_an_old_log_in_form_is_shown_anew(db: None) -> None:
    client = Client(enforce_csrf_checks=True)
    client.cookies[settings.CSRF_COOKIE_NAME] = "a" * 32
    answer = client.post(f"{LOGIN}?next=/x/", {"login": "x", "csrfmiddlewaretoken": "b" * 32}, headers=SAME_SITE)
    assert answer["Location"] == f"{LOGIN}?next=/x/"
    assert "That page was too old" in text(client.get(LOGIN))
