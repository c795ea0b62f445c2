"""The second factor: logging in with it, what staff can't reach without it, and what is never shown (R13, R27)."""

from collections.abc import Callable
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib import admin
from django.contrib.sessions.models import Session
from django.core import mail
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import get_resolver

from accounts.login.second_factor import SecondFactorAdapter
from accounts.models import Account, User
from tests.accounts.login.logging_in import (
    FACTOR,
    LOGIN,
    YOU,
    code_of,
    half_a_minute_later,
    log_in,
    logged_in,
    recovery_codes,
    set_up_app,
    show_password,
)
from tests.accounts.pages import page

CHANGING = ["app/", "app/remove/", "passkeys/add/", "codes/", "codes/new/"]


def test_after_the_password_the_code_is_asked_and_nothing_opens_before(account: Account, owner: User) -> None:
    secret = set_up_app(logged_in(owner))
    half_a_minute_later()
    client = Client()
    assert log_in(client, owner, next="/accounts/100001/").redirect_chain[-1][0] == FACTOR
    for path in ("/accounts/100001/", YOU, FACTOR + "codes/"):
        assert client.get(path)["Location"].startswith("/login/")
    assert "not right" in client.post(FACTOR, {"code": "000000"}).content.decode()
    assert client.post(FACTOR, {"code": code_of(secret)})["Location"] == "/accounts/100001/"
    assert client.get("/accounts/100001/").status_code == 200


def test_a_code_works_once_and_guessing_is_stopped(account: Account, owner: User) -> None:
    secret = set_up_app(logged_in(owner))
    half_a_minute_later()
    code = code_of(secret)
    for answer in (302, 200):
        client = Client()
        log_in(client, owner)
        assert client.post(FACTOR, {"code": code}).status_code == answer
    for _ in range(5):
        client.post(FACTOR, {"code": "000000"})
    half_a_guess = client.post(FACTOR, {"code": code_of(secret)})
    assert "Wait five minutes" in half_a_guess.content.decode()


def test_a_recovery_code_works_once(account: Account, owner: User) -> None:
    client = logged_in(owner)
    set_up_app(client)
    codes = recovery_codes(client)
    assert len(codes) == 10
    for answer in (302, 200):
        other = Client()
        log_in(other, owner)
        assert other.post(FACTOR, {"code": codes[0]}).status_code == answer
    assert recovery_codes(client) == codes[1:]


@pytest.mark.parametrize("path", [FACTOR + path for path in CHANGING] + [YOU + "address/"])
def test_what_matters_is_behind_the_password_again(account: Account, owner: User, path: str) -> None:
    first = logged_in(owner)
    secret = set_up_app(first)
    half_a_minute_later()
    client = Client()
    log_in(client, owner)
    client.post(FACTOR, {"code": code_of(secret)})
    before = list(Authenticator.objects.values())
    assert client.post(path, {"email": "new@example.com"}).status_code in (302, 405)
    # If there is an app already, the page redirects to its removal, which first asks for the password.
    assert client.get(path)["Location"].startswith(("/login/reauthenticate/", FACTOR + "app/remove/"))
    assert list(Authenticator.objects.values()) == before
    assert [message.to for message in mail.outbox if "address" in message.subject] == []


def test_the_last_factor_takes_the_recovery_codes_along(account: Account, owner: User) -> None:
    client = logged_in(owner)
    set_up_app(client)
    client.post(FACTOR + "app/remove/")
    assert not Authenticator.objects.exists()
    assert log_in(Client(), owner).redirect_chain[-1][0] == "/accounts/100001/"


def test_setting_one_up_ends_every_other_place(account: Account, owner: User) -> None:
    thief, client = logged_in(owner), logged_in(owner)
    set_up_app(client)
    assert thief.get("/accounts/100001/").status_code == 302
    assert client.get("/accounts/100001/").status_code == 200


def test_somebody_elses_passkey_can_not_be_named(owner: User, make_user: Callable[..., User]) -> None:
    other = make_user("other@example.com")
    key = Authenticator.objects.create(user=other, type="webauthn", data={"name": "Key"})
    client = logged_in(owner)
    show_password(client)
    for what in ("name", "remove"):
        assert client.get(f"{FACTOR}passkeys/{key.pk}/{what}/").status_code == 404
        assert client.post(f"{FACTOR}passkeys/{key.pk}/{what}/", {"name": "Mine"}).status_code == 404
    key.refresh_from_db()
    assert key.data == {"name": "Key"}


@pytest.mark.parametrize(
    "credential",
    ["", "{}", "[]", "1", "not json", '{"id": "x", "response": {}}', "null", "[" * 200_000],
    ids=lambda text: text[:9],
)
def test_a_made_up_passkey_is_refused(account: Account, owner: User, credential: str) -> None:
    client = logged_in(owner)
    show_password(client)
    client.get(FACTOR + "passkeys/add/")
    assert client.post(FACTOR + "passkeys/add/", {"name": "x", "credential": credential}).status_code == 200
    set_up_app(client)
    half_a_minute_later()
    other = Client()
    log_in(other, owner)
    assert other.post(FACTOR, {"credential": credential}).status_code == 200
    assert other.get("/accounts/100001/").status_code == 302
    assert not Authenticator.objects.filter(type="webauthn").exists()


def test_the_database_alone_gives_no_codes(account: Account, owner: User, settings: Any) -> None:
    secret = set_up_app(logged_in(owner))
    kept = Authenticator.objects.get(type="totp").data["secret"]
    assert secret not in kept
    assert SecondFactorAdapter().decrypt(kept) == secret
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "another" * 10, [settings.SECRET_KEY]
    assert SecondFactorAdapter().decrypt(kept) == secret
    settings.SECRET_KEY_FALLBACKS = []
    lost = SecondFactorAdapter().decrypt(kept)
    assert lost not in ("", secret)
    assert lost != SecondFactorAdapter().decrypt(kept)


# Staff --------------------------------------------------------------------------------------------------------------


@pytest.fixture
def required(settings: Any) -> None:
    settings.STAFF_SECOND_FACTOR = True


def of_admin() -> list[str]:
    """Return every URL of the admin that takes no arguments, but for the one that leads to one's own password."""
    namespaced = get_resolver().namespace_dict["admin"][1]
    found = {f"/admin/{patterns[0][0][0]}" for patterns in namespaced.reverse_dict.values() if not patterns[0][0][1]}
    return sorted(found - {"/admin/password_change/"})


def test_the_admin_has_many_addresses() -> None:
    assert {"/admin/", "/admin/logout/", "/admin/accounts/user/", "/admin/jsi18n/"} <= set(of_admin())


@pytest.mark.parametrize("who", ["root", "member", "supporter"])
def test_staff_reach_nothing_of_the_admin_before_they_set_one_up(
    who: str, required: None, request: pytest.FixtureRequest
) -> None:
    user = request.getfixturevalue(who)
    client = logged_in(user)
    for path in [*of_admin(), page(User, "change", user.pk), page(User, "history", user.pk), "/admin/nowhere/"]:
        for answer in (client.get(path), client.post(path, {"email": "x@example.com"})):
            assert (answer.status_code, answer["Location"][: len(YOU)]) == (302, YOU), path
    told = client.get("/admin/", follow=True)
    assert told.redirect_chain == [(f"{YOU}?next=%2Fadmin%2F", 302)]
    assert "Set one up here" in told.content.decode()
    set_up_app(client)
    assert client.get("/admin/").status_code == 200


def test_a_session_that_began_before_the_factor_does_not_count(required: None, member: User) -> None:
    client = logged_in(member)
    secret = set_up_app(logged_in(member))
    half_a_minute_later()
    assert client.get("/admin/")["Location"].startswith(LOGIN) or client.get("/admin/").status_code == 302
    thief = Client()
    thief.force_login(member)  # a session that never passed the second factor
    way = thief.get("/admin/onboarding/onboarding/")["Location"]
    assert way == f"{FACTOR}again/?next=%2Fadmin%2Fonboarding%2Fonboarding%2F"
    assert thief.post(way, {"code": "000000"}).status_code == 200
    assert thief.get("/admin/").status_code == 302
    assert thief.post(way, {"code": code_of(secret)})["Location"] == "/admin/onboarding/onboarding/"
    assert thief.get("/admin/onboarding/onboarding/").status_code == 200


def test_staff_without_it_again_are_led_back(required: None, member: User) -> None:
    client = logged_in(member)
    set_up_app(client)
    client.post(FACTOR + "app/remove/")
    assert client.get("/admin/")["Location"].startswith(YOU)


def test_visitors_and_customers_are_told_as_before(required: None, account: Account, owner: User) -> None:
    assert Client().get("/admin/")["Location"] == "/admin/login/?next=/admin/"
    client = logged_in(owner)
    assert client.get("/admin/login/").status_code == 403
    assert client.get("/accounts/100001/").status_code == 200


def test_off_by_default(member: User) -> None:
    assert logged_in(member).get("/admin/").status_code == 200


# In the admin ---------------------------------------------------------------------------------------------------------


def test_the_admin_has_no_page_of_secrets_or_sessions() -> None:
    assert not {Authenticator, UserSession} & set(admin.site._registry)


def test_a_lost_factor_is_taken_off_with_a_mail_and_a_name(account: Account, owner: User, root: User) -> None:
    client = logged_in(owner)
    set_up_app(client)
    office = logged_in(root)
    user_page = page(User, "change", owner.pk)
    way = f"{user_page.removesuffix('change/')}second-factor/"
    assert "Take off the second factor" in office.get(user_page).content.decode()
    assert "call Olivia Owner back" in office.get(way).content.decode()
    assert Authenticator.objects.filter(user=owner).exists()
    mail.outbox.clear()
    office.post(way)
    assert not Authenticator.objects.filter(user=owner).exists()
    assert client.get("/accounts/100001/").status_code == 302
    assert "Take off the second factor" not in office.get(user_page).content.decode()
    last = owner.history.latest()
    assert (last.history_user, last.history_change_reason) == (root, "Second factor taken off")


@pytest.mark.parametrize(("who", "whose"), [("supporter", "owner"), ("member", "supporter"), ("owner", "owner")])
def test_not_by_those_who_may_not_change_the_log_in(who: str, whose: str, request: pytest.FixtureRequest) -> None:
    user = request.getfixturevalue(whose)
    set_up_app(logged_in(user))
    client = Client()
    client.force_login(request.getfixturevalue(who))
    way = f"{page(User, 'change', user.pk).removesuffix('change/')}second-factor/"
    for answer in (client.get(way), client.post(way)):
        assert answer.status_code in (302, 403, 404)
    assert Authenticator.objects.filter(user=user).exists()


# Sessions -------------------------------------------------------------------------------------------------------------


def test_places_are_listed_and_ended_one_or_all(account: Account, owner: User) -> None:
    here, there, third = logged_in(owner), logged_in(owner), logged_in(owner)
    text = here.get(YOU).content.decode()
    assert text.count("Firefox, Linux</th>") == 3
    assert text.count("Log out there") == 2
    here.post(f"{YOU}places/{UserSession.objects.get(session_key=there.session.session_key).pk}/end/")
    assert there.get("/accounts/100001/").status_code == 302
    assert third.get("/accounts/100001/").status_code == 200
    assert here.get(YOU + "places/end/").status_code == 405
    assert here.post(YOU + "places/end/")["Location"] == LOGIN
    for client in (here, third):
        assert client.get("/accounts/100001/").status_code == 302
    assert not UserSession.objects.filter(user=owner).exists()


def test_many_places_cost_no_more_queries_and_ended_ones_are_left_out(
    account: Account, owner: User, django_assert_num_queries: Any
) -> None:
    here = logged_in(owner)
    with CaptureQueriesContext(connection) as one:
        here.get(YOU)
    count = len(one)  # counted now, because the next request clears the query log
    others = [logged_in(owner) for _ in range(4)]
    with django_assert_num_queries(count):
        text = here.get(YOU).content.decode()
    assert text.count("Log out there") == 4
    others[0].session.flush()
    Session.objects.filter(session_key=others[1].session.session_key).update(expire_date="2020-01-01T00:00Z")
    assert here.get(YOU).content.decode().count("Log out there") == 2


def test_somebody_elses_place_answers_404(account: Account, owner: User, member: User) -> None:
    other = logged_in(member)
    place = UserSession.objects.get(user=member)
    assert logged_in(owner).post(f"{YOU}places/{place.pk}/end/").status_code == 404
    assert other.get("/admin/").status_code == 200


def test_a_secret_that_an_earlier_version_stored_can_be_read(settings: Any) -> None:
    """Stored once and for all: with another key nobody's app or recovery codes would be accepted any more."""
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "s" * 50, []
    stored = (
        "gAAAAABrB8_npAqAVeWT0cpjvCCusNoRC5rteM9kAIplDeJZC69QYowTOirqtMaKHIsr7v"
        "VXIB71z_zuLPhyQF79KzPQ1u-xoPczAush82rdJIH-gVtyuao="
    )
    assert SecondFactorAdapter().decrypt(stored) == "JBSWY3DPEHPK3PXP"
