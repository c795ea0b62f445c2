"""Email about logging in: queued with the change it reports, worded at delivery, and stored nowhere."""

import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.conf import settings as current
from django.core import mail
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.actions import save_user
from accounts.login.mail import EMAIL_KIND, LoginMail, queue_login_mail
from accounts.models import Account, User
from core.outbox.delivery import send_due
from core.outbox.models import EmailState, OutgoingEmail
from core.outbox.queue import SEND_MAIL
from tests.accounts.login.logging_in import FACTOR, YOU, logged_in, recovery_codes, set_up_app, show_password
from tests.conftest import PASSWORD
from tests.mailing import SITE, MailServer, delivered

RESET = "/login/password/reset/"
BETTER = "another good horse"


def queued() -> OutgoingEmail:
    """Return the latest email about logging in."""
    return OutgoingEmail.objects.filter(kind=EMAIL_KIND).latest("pk")


def asked() -> list[str]:
    """Return the kinds of the emails about logging in, in order."""
    return list(OutgoingEmail.objects.filter(kind=EMAIL_KIND).order_by("pk").values_list("data__what", flat=True))


def reset_link() -> str:
    """Return the path of the link in the latest email that has one."""
    bodies = "\n".join(str(message.body) for message in delivered())
    return re.findall(rf"{SITE}(/login/password/reset/key/\S+)", bodies)[-1]


def change_password(client: Client) -> Any:
    form = {"oldpassword": PASSWORD, "password1": BETTER, "password2": BETTER}
    return client.post("/login/password/change/", form)


@pytest.fixture
def down(settings: Any) -> Iterator[MailServer]:
    """A mail server that is down."""
    server = MailServer()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.port
    yield server
    server.stop()


@pytest.mark.parametrize("kind", LoginMail)
@pytest.mark.parametrize("language", ["en", "es"])
def test_every_kind_is_worded_in_both_languages(kind: LoginMail, language: str, owner: User) -> None:
    User.objects.filter(pk=owner.pk).update(language=language)
    owner.refresh_from_db()
    facts = {"ip": "192.0.2.7", "address": "new@example.com", "old": "old@example.com", "new": "new@example.com"}
    queue_login_mail(kind, owner, facts=facts)
    [message] = delivered()
    assert message.to == [owner.email]
    assert message.subject.startswith(f"{current.BRAND_NAME}: ")
    text = f"{message.subject}\n{message.body}"
    assert not re.search(r"%\(|{[{%]|  |None| ,|\(\)", text), text
    assert all(link.startswith(f"{SITE}/login/") for link in re.findall(r"https?://\S+", text))
    assert bool(kind.lifetime) == ("/key/" in text or "/you/address/" in text)
    assert len(text) > 100


def test_what_was_said_is_neither_stored_nor_shown(owner: User) -> None:
    Client().post(RESET, {"email": owner.email})
    before = queued()
    link = reset_link()
    row = OutgoingEmail.objects.get(pk=before.pk)
    assert (row.state, row.subject, row.body) == (EmailState.SENT, "", "")
    secret = link.rstrip("/").rpartition("/")[2].partition("-")[2]
    stored = repr(OutgoingEmail.objects.values().get(pk=row.pk))
    assert secret not in stored
    assert owner.password not in stored
    assert set(row.data) == {"what", "user", "state", "facts"}


def test_links_never_follow_the_host_of_the_request(owner: User, settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["*"]
    Client(headers={"Host": "evil.example.com"}).post(RESET, {"email": owner.email})
    client = logged_in(owner)
    show_password(client)
    client.post(YOU + "address/", {"email": "new@example.com"}, headers={"Host": "evil.example.com"})
    bodies = "\n".join(str(message.body) for message in delivered())
    assert len(re.findall(rf"{SITE}/login/\S+", bodies)) == 2
    assert "evil" not in bodies


# A mail server that is down ------------------------------------------------------------------------------------------


def test_a_password_changes_while_the_mail_server_is_down(account: Account, owner: User, down: MailServer) -> None:
    """The change is done, everybody else is logged out, and the email follows later."""
    client, elsewhere = logged_in(owner), logged_in(owner)
    assert change_password(client).status_code == 302
    assert elsewhere.get("/accounts/100001/").status_code == 302
    assert send_due().unreachable
    assert asked() == ["password_changed"]
    down.start()
    send_due()
    assert down.to() == [owner.email]


def test_a_factor_is_set_up_and_removed_while_the_mail_server_is_down(
    account: Account, owner: User, down: MailServer
) -> None:
    client = logged_in(owner)
    set_up_app(client)
    assert len(recovery_codes(client)) == 10
    assert client.post(FACTOR + "codes/new/").status_code == 302
    assert client.post(FACTOR + "app/remove/").status_code == 302
    assert asked() == ["app_added", "codes_made", "app_removed"]


def test_a_reset_says_the_same_whoever_has_a_login_while_the_mail_server_is_down(owner: User, down: MailServer) -> None:
    known, unknown = (Client().post(RESET, {"email": email}) for email in (owner.email, "nobody@example.com"))
    assert (
        (known.status_code, known["Location"]) == (unknown.status_code, unknown["Location"]) == (302, RESET + "done/")
    )
    assert asked() == ["reset_link"]


def test_a_change_that_fails_queues_nothing_and_a_mail_that_fails_changes_nothing(
    account: Account, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both are in one transaction."""
    client = logged_in(owner)
    monkeypatch.setattr("accounts.login.adapter.queue_login_mail", broken)
    client.raise_request_exception = False
    assert change_password(client).status_code == 500
    owner.refresh_from_db()
    assert owner.check_password(PASSWORD)


def broken(*args: object, **kwargs: object) -> None:
    raise RuntimeError("the outbox is broken")


# What is dropped ------------------------------------------------------------------------------------------------------


def dropped_because() -> str:
    assert delivered() == []
    row = queued()
    assert (row.state, row.body) == (EmailState.DROPPED, "")
    return row.error


def test_a_link_is_not_sent_once_the_password_changed(account: Account, owner: User) -> None:
    Client().post(RESET, {"email": owner.email})
    owner.refresh_from_db()
    owner.set_password(BETTER)
    owner.save()
    assert dropped_because() == "The user's email or password has changed since."


def test_a_link_is_not_sent_to_an_address_that_is_no_longer_the_users(owner: User, root: User) -> None:
    Client().post(RESET, {"email": owner.email})
    User.objects.filter(pk=owner.pk).update(email="other@example.com")
    assert dropped_because() == "The user's email or password has changed since."


def test_nothing_is_sent_to_users_who_were_switched_off(owner: User) -> None:
    Client().post(RESET, {"email": owner.email})
    User.objects.filter(pk=owner.pk).update(is_active=False)
    assert dropped_because() == "The user has been deactivated."


@pytest.mark.parametrize(("kind", "lifetime"), [("reset_link", timedelta(days=3)), ("address_link", timedelta(days=1))])
def test_the_lifetime_of_a_link_counts_from_the_request(kind: str, lifetime: timedelta, owner: User) -> None:
    queue_login_mail(LoginMail(kind), owner)
    send_due(now=queued().created_at + lifetime)
    assert dropped_because() == "The link would have expired already."


def test_a_link_that_is_delivered_late_ends_as_early(account: Account, owner: User) -> None:
    Client().post(RESET, {"email": owner.email})
    with time_machine.travel(timezone.now() + timedelta(days=2, hours=23)):
        link = reset_link()
        assert Client().get(link, follow=True).redirect_chain[-1][0].endswith("-set-password/")
    with time_machine.travel(timezone.now() + timedelta(days=3, minutes=1)):
        assert not Client().get(link, follow=True).redirect_chain


def test_links_survive_a_change_of_the_secret_key_until_it_is_forgotten(owner: User, settings: Any) -> None:
    Client().post(RESET, {"email": owner.email})
    settings.SECRET_KEY_FALLBACKS, settings.SECRET_KEY = [settings.SECRET_KEY], "another key of fifty characters" * 2
    assert reset_link()


def test_a_warning_is_sent_although_more_was_changed_since(owner: User) -> None:
    """Otherwise whoever took over a login could keep the first warning back by a second change."""
    queue_login_mail(LoginMail.ADDRESS_CHANGED, owner, to="olivia@example.com", facts={"address": "evil@example.com"})
    owner.set_password(BETTER)
    owner.save()
    assert [message.to for message in delivered()] == [["olivia@example.com"]]


# What staff change ----------------------------------------------------------------------------------------------------


def test_a_password_that_staff_set_is_reported_to_the_user(owner: User, root: User) -> None:
    office = logged_in(root)
    address = reverse("admin:auth_user_password_change", args=[owner.pk])
    form = {"usable_password": "true", "password1": BETTER, "password2": "else"}
    assert office.post(address, form).status_code == 200
    assert asked() == []
    assert office.post(address, {**form, "password2": BETTER}).status_code == 302
    owner.refresh_from_db()
    assert owner.check_password(BETTER)
    [message] = delivered()
    assert (message.to, "by our support team" in message.subject) == ([owner.email], True)
    assert office.get(reverse("admin:auth_user_password_change", args=["junk"])).status_code == 404


def test_an_address_that_staff_change_is_reported_to_both(owner: User, root: User) -> None:
    old, owner.email = owner.email, "new@example.com"
    save_user(owner, by=root)
    assert [message.to for message in delivered()] == [[old], ["new@example.com"]]
    assert all(f"from {old} to new@example.com" in message.body for message in mail.outbox)
    owner.first_name = "Olga"
    save_user(owner, by=root)
    assert len(delivered()) == 2


def test_staff_change_their_own_password_where_everybody_does(member: User) -> None:
    assert logged_in(member).get("/admin/password_change/")["Location"].startswith("/login/password/change/")


# Without and with a worker --------------------------------------------------------------------------------------------


def test_without_a_worker_it_is_sent_after_the_commit(
    owner: User, settings: Any, django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    settings.MAIL_WITHOUT_WORKER = True
    with django_capture_on_commit_callbacks(execute=True):
        Client().post(RESET, {"email": owner.email})
        assert mail.outbox == []
    assert [message.to for message in mail.outbox] == [[owner.email]]


def test_without_a_worker_a_mail_server_that_is_down_delays_it(
    owner: User, settings: Any, down: MailServer, django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    settings.MAIL_WITHOUT_WORKER = True
    with django_capture_on_commit_callbacks(execute=True):
        assert Client().post(RESET, {"email": owner.email}).status_code == 302
    row = queued()
    assert (row.state, "refused" in row.error) == (EmailState.WAITING, True)


def test_a_worker_is_asked_once_to_send_what_waits(
    owner: User, settings: Any, django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    settings.MAIL_WITHOUT_WORKER = False
    for _ in range(2):
        with django_capture_on_commit_callbacks(execute=True):
            Client().post(RESET, {"email": owner.email})
    from procrastinate.contrib.django.models import ProcrastinateJob  # noqa: PLC0415 - its models are loaded later

    [job] = ProcrastinateJob.objects.filter(status="todo", task_name=SEND_MAIL)
    assert job.queueing_lock == SEND_MAIL
