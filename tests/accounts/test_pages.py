"""Who sees which page: login, the account switcher, other customers' accounts (R13, R20, I15), and the banner (R2)."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client

from accounts.models import Account, Contact, PhoneNumber, Refusal, Role, ServiceUser, User
from onboarding.actions import activate, request_go_live
from onboarding.rules import SEAT_LIMIT
from subscriptions.actions import install
from subscriptions.models import ContactCenter
from tests.conftest import PASSWORD
from tests.mailing import delivered

LOGIN = "/login/"
CENTER = "/accounts/100001/contact-center/"
PAGES = [
    "/accounts/100001/",
    CENTER + "subscription/",
    CENTER + "users/",
    CENTER + "phone-numbers/",
    CENTER + "go-live/",
]
POSTS = [
    CENTER + "install/",
    CENTER + "subscription/",
    CENTER + "subscription/confirm/",
    CENTER + "users/",
    CENTER + "users/add/",
    CENTER + "phone-numbers/",
    CENTER + "go-live/",
    CENTER + "go-live/withdraw/",
]


def log_in(client: Client, email: str = "olivia@example.com", password: str = PASSWORD, **more: str) -> Any:
    return client.post(LOGIN, {"login": email, "password": password, **more}, follow=True)


def test_log_in_by_email_in_any_case_and_out(client: Client, installed: Account) -> None:
    page = log_in(client, "Olivia@Example.com")
    assert page.redirect_chain[-1][0] == "/accounts/100001/"
    assert "Acme Support" in page.content.decode()
    client.post("/logout/")
    assert client.get("/accounts/100001/").status_code == 302


def test_a_wrong_password_is_said_in_words_and_too_many_are_stopped(client: Client, owner: User) -> None:
    page = log_in(client, password="wrong")
    assert "The email address and/or password you specified are not correct" in page.content.decode()
    for _ in range(5):
        page = log_in(client, password="wrong")
    assert "Too many failed login attempts" in page.content.decode()
    assert "Too many failed" in log_in(client).content.decode()


def test_log_in_returns_to_where_one_was(client: Client, installed: Account) -> None:
    asked = client.get(CENTER + "users/")
    assert asked.url == f"{LOGIN}?next={CENTER}users/"
    page = log_in(client, next=CENTER + "users/")
    assert page.redirect_chain[-1][0] == CENTER + "users/"


@pytest.mark.parametrize(
    ("following", "leads"),
    [
        ("https://testserver/accounts/100001/users/", True),
        ("/accounts/100001/users/", True),
        ("http://testserver/accounts/100001/users/", False),
        ("//evil.example.com/", False),
        ("https://panel.example.com/", False),
    ],
)
def test_log_in_over_https_never_leads_to_http_or_elsewhere(
    following: str, leads: bool, client: Client, installed: Account, settings: Any
) -> None:
    settings.ALLOWED_HOSTS = ["testserver", "panel.example.com"]
    form = {"login": "olivia@example.com", "password": PASSWORD, "next": following}
    answer = client.post(LOGIN, form, secure=True)
    assert (answer["Location"] == following) == leads
    assert answer["Location"].startswith(("/", "https://testserver/"))


def test_a_switched_off_log_in_is_told_so(client: Client, owner: User) -> None:
    User.objects.filter(pk=owner.pk).update(is_active=False)
    assert "switched off" in log_in(client).content.decode()


def test_a_forgotten_password_is_reset_by_mail(client: Client, owner: User) -> None:
    client.post("/login/password/reset/", {"email": "olivia@example.com"})
    link = next(word for word in delivered()[0].body.split() if "/password/reset/key/" in word)
    form = client.get(link, follow=True)
    page = client.post(
        form.redirect_chain[-1][0], {"password1": "another good horse", "password2": "another good horse"}, follow=True
    )
    assert "Your password was changed" in page.content.decode()
    assert "Log out" in log_in(client, password="another good horse").content.decode()


def test_a_reset_for_nobody_says_the_same_and_sends_nothing(client: Client, owner: User) -> None:
    known = client.post("/login/password/reset/", {"email": "olivia@example.com"}, follow=True)
    delivered().clear()
    unknown = client.post("/login/password/reset/", {"email": "nobody@example.com"}, follow=True)
    assert "Look into your mail" in known.content.decode()
    assert "Look into your mail" in unknown.content.decode()
    assert delivered() == []


def test_nobody_signs_up_by_himself(client: Client, db: None) -> None:
    assert "Log-ins are made by the provider" in client.get("/login/signup/").content.decode()
    client.post("/login/signup/", {"email": "new@example.com", "password1": PASSWORD, "password2": PASSWORD})
    assert not User.objects.exists()


@pytest.mark.parametrize("page", [*PAGES, *POSTS])
def test_a_visitor_logs_in_first(client: Client, installed: Account, page: str) -> None:
    answer = client.get(page)
    assert answer.status_code == 405 or answer.url.startswith(LOGIN)


@pytest.mark.parametrize("page", [*PAGES, *POSTS])
@pytest.mark.parametrize("method", ["get", "post"])
def test_other_customers_accounts_answer_404(
    client: Client, installed: Account, make_account: Callable[..., Account], page: str, method: str
) -> None:
    other = make_account("200002")
    client.force_login(other.contacts.get().user)
    answer = getattr(client, method)(page, {"seats": 1})
    assert answer.status_code in (404, 405)
    assert "Acme" not in answer.content.decode()


def test_other_customers_people_and_numbers_can_not_be_named(
    client: Client, installed: Account, catalogue: None, make_account: Callable[..., Account]
) -> None:
    other = make_account("200002")
    stranger = other.contacts.get().user
    install(other, edition="cc-pro", by=stranger)
    person = ServiceUser.objects.create(account=installed, name="Ann", email="ann@example.com")
    number = PhoneNumber.objects.create(account=installed, number="+18005550101")
    client.force_login(stranger)
    there = CENTER.replace("100001", "200002")
    answer = client.post(there + "users/", {"people": person.pk, "role": "agent"})
    assert answer.status_code == 422
    assert client.post(there + "phone-numbers/", {"assign": number.pk}).status_code == 404
    person.refresh_from_db()
    assert person.contact_center_role == ""
    assert not number.assignments.exists()


@pytest.mark.parametrize("role", [Role.VIEWER, Role.BILLING])
@pytest.mark.parametrize("page", POSTS)
def test_roles_that_only_look_change_nothing(
    client: Client, account: Account, catalogue: None, make_user: Callable[..., User], role: Role, page: str
) -> None:
    other = make_user("vera@example.com")
    Contact.objects.create(account=account, user=other, role=role)
    client.force_login(other)
    answer = client.post(page, {"edition": "cc-pro", "confirmed": "on", "name": "Ann", "email": "a@example.com"})
    assert answer.status_code in (302, 403)
    assert not ContactCenter.objects.exists()
    assert not ServiceUser.objects.exists()


def test_a_contact_of_several_accounts_switches_between_them(
    client: Client, account: Account, owner: User, make_account: Callable[..., Account]
) -> None:
    make_account("200002", owner=owner, company="Blue Harbor")
    make_account("300003", company="Somebody else's")
    client.force_login(owner)
    text = client.get("/").content.decode()
    assert "Acme Support" in text
    assert "Blue Harbor" in text
    assert "Somebody else" not in text
    inside = client.get("/accounts/200002/").content.decode()
    assert 'href="/accounts/100001/"' in inside
    assert "Somebody else" not in inside


def test_a_log_in_without_an_account_is_told_what_to_do(client: Client, make_user: Callable[..., User]) -> None:
    client.force_login(make_user("new@example.com"))
    assert "not a contact of any account" in client.get("/").content.decode()


def test_staff_without_an_account_go_to_the_back_office(client: Client, member: User) -> None:
    client.force_login(member)
    assert client.get("/").url == "/admin/"


@pytest.mark.parametrize("page", PAGES)
def test_the_banner_is_on_every_page_until_the_activation(
    client: Client, installed: Account, owner: User, member: User, page: str
) -> None:
    client.force_login(owner)
    text = client.get(page).content.decode()
    assert 'class="banner" role="status"' in text
    assert f"at most {SEAT_LIMIT} seats" in text
    assert f'href="{CENTER}go-live/"' in text
    activate(installed, by=member, reason="Ready")
    assert "banner" not in client.get(page).content.decode()


def test_an_account_without_contact_center_has_no_banner(client: Client, account: Account, owner: User) -> None:
    client.force_login(owner)
    text = client.get("/accounts/100001/").content.decode()
    assert "banner" not in text
    assert "Contact Center is not installed yet" in text


def test_the_overview_lists_what_was_lately_refused(client: Client, installed: Account, owner: User) -> None:
    client.force_login(owner)
    client.post(CENTER + "subscription/", {"seats": SEAT_LIMIT + 1, "storage": "storage-5", "package": "tf-payperuse"})
    text = client.get("/accounts/100001/").content.decode()
    assert "Lately refused" in text
    assert f"you asked for {SEAT_LIMIT + 1}" in text


def test_going_live_is_asked_for_and_withdrawn(client: Client, installed: Account, owner: User) -> None:
    client.force_login(owner)
    page = client.get(CENTER + "go-live/").content.decode()
    assert "To do: 0 seats held" in page
    wanted = page.split('name="wanted_on" value="')[1][:10]
    text = client.post(CENTER + "go-live/", {"wanted_on": wanted, "note": "<b>Soon</b>"}, follow=True).content.decode()
    assert "Waiting for the Onboarding team" in text
    assert "&lt;b&gt;Soon" in text
    text = client.post(CENTER + "go-live/withdraw/", follow=True).content.decode()
    assert "Your request was withdrawn" in text
    assert "Earlier requests" in text
    assert "There is no request to withdraw" in client.post(CENTER + "go-live/withdraw/", follow=True).content.decode()


@pytest.mark.parametrize("wanted", ["", "2020-01-01", "9999-12-31", "soon", "0000-00-00", "\x00"])
def test_a_day_that_can_not_be_is_refused_at_its_field(
    client: Client, installed: Account, owner: User, wanted: str
) -> None:
    client.force_login(owner)
    page = client.post(CENTER + "go-live/", {"wanted_on": wanted})
    assert page.status_code == 422
    assert 'id="id_wanted_on_error"' in page.content.decode()
    assert not installed.go_live_requests.exists()


def test_a_live_account_has_nothing_to_ask_for(client: Client, active: Account, owner: User) -> None:
    client.force_login(owner)
    text = client.get(CENTER + "go-live/").content.decode()
    assert "Your account is live" in text
    assert "March 16, 2026" in text


def test_a_request_is_shown_to_viewers_who_can_not_withdraw_it(
    client: Client, installed: Account, owner: User, make_user: Callable[..., User]
) -> None:
    now = datetime(2026, 3, 6, 12, tzinfo=UTC)
    request_go_live(installed, wanted_on=now.date(), by=owner, now=now)
    viewer = make_user("vera@example.com")
    Contact.objects.create(account=installed, user=viewer, role=Role.VIEWER)
    client.force_login(viewer)
    text = client.get(CENTER + "go-live/").content.decode()
    assert "Waiting for the Onboarding team" in text
    assert "Withdraw" not in text


def test_the_address_in_the_admin_is_the_only_one_that_logs_in(client: Client, installed: Account, owner: User) -> None:
    log_in(client)
    assert client.get("/login/email/").status_code == 404
    client.post("/logout/")
    client.post("/login/password/reset/", {"email": "olivia@example.com"})
    owner.email = "olivia.owens@example.com"
    owner.save()
    assert "are not correct" in log_in(client, "olivia@example.com").content.decode()
    assert "Log out" in log_in(client, "olivia.owens@example.com").content.decode()


def test_a_password_is_changed_by_the_one_who_knows_it(client: Client, installed: Account) -> None:
    log_in(client)
    change = {"password1": "another good horse", "password2": "another good horse"}
    page = client.post("/login/password/change/", {"oldpassword": "wrong", **change})
    assert 'id="id_oldpassword_error"' in page.content.decode()
    client.post("/login/password/change/", {"oldpassword": PASSWORD, **change})
    assert "Log out" in log_in(client, password="another good horse").content.decode()


@pytest.mark.parametrize("address", ["/accounts/%00/", "/accounts/100001/?q=%00", "/admin/?q=%00", "/%00"])
def test_an_address_with_a_nul_is_told_so(client: Client, installed: Account, owner: User, address: str) -> None:
    client.force_login(owner)
    answer = client.get(address)
    assert answer.status_code == 400
    assert "That address can’t be read" in answer.content.decode()


def test_a_page_that_is_too_old_says_what_to_do(installed: Account, owner: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(owner)
    answer = client.post(CENTER + "users/add/", {"name": "Ann", "email": "ann@example.com"})
    assert answer.status_code == 403
    assert "This page is too old" in answer.content.decode()


def test_what_a_role_may_not_do_leaves_a_row(
    client: Client, installed: Account, make_user: Callable[..., User]
) -> None:
    viewer = make_user("vera@example.com")
    Contact.objects.create(account=installed, user=viewer, role=Role.VIEWER)
    client.force_login(viewer)
    assert client.post(CENTER + "users/add/", {"name": "Ann", "email": "ann@example.com"}).status_code == 403
    assert client.post(CENTER + "go-live/withdraw/").status_code == 403
    rows = Refusal.objects.values_list("by", "action", "rule")
    assert set(rows) == {
        (viewer.pk, "add_service_user", "permission_denied"),
        (viewer.pk, "withdraw_go_live", "permission_denied"),
    }


def test_what_a_form_could_not_read_leaves_a_row(client: Client, installed: Account, owner: User) -> None:
    client.force_login(owner)
    client.post(CENTER + "subscription/", {"seats": "many", "storage": "storage-5", "package": "tf-payperuse"})
    row = Refusal.objects.get()
    assert (row.by, row.action, row.field, row.rule) == (owner, "change_subscription", "seats", "invalid")
