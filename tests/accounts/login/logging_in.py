"""Logging in and out as a person does, with an authenticator app if the user has one."""

import re
import time
from typing import Any

from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.core.cache import cache
from django.test import Client

from accounts.models import User
from tests.conftest import PASSWORD

LOGIN = "/login/"
YOU = "/login/you/"
FACTOR = "/login/second-factor/"


def log_in(client: Client, user: User, **more: str) -> Any:
    return client.post(LOGIN, {"login": user.email, "password": PASSWORD, **more}, follow=True)


def logged_in(user: User) -> Client:
    """Return a client in which the user has logged in with their password."""
    client = Client(headers={"User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"})
    log_in(client, user)
    return client


def show_password(client: Client, following: str = YOU) -> Any:
    """Reauthenticate with the password, and continue."""
    return client.post("/login/reauthenticate/", {"password": PASSWORD, "next": following}, follow=True)


def code_of(secret: str) -> str:
    return format_hotp_value(hotp_value(secret, int(time.time()) // 30))


def set_up_app(client: Client) -> str:
    """Set up an authenticator app, and return its secret."""
    show_password(client)
    page = client.get(FACTOR + "app/").content.decode()
    secret = re.search(r'class="secret">(\w+)<', page)[1]  # type: ignore[index]
    done = client.post(FACTOR + "app/", {"code": code_of(secret)})
    assert done["Location"] == FACTOR + "codes/"
    return secret


def recovery_codes(client: Client) -> list[str]:
    return re.findall(r"<code>(\d+)</code>", client.get(FACTOR + "codes/").content.decode())


def half_a_minute_later() -> None:
    """Forget which codes were used, as if the app already showed the next one."""
    cache.clear()
