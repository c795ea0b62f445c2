"""The headers that limit what pages may load and do (CSP and others), and that our pages need nothing else."""

import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from django.contrib import admin
from django.http import HttpResponse
from django.test import Client

from accounts.models import Account, User
from tests.accounts.login.logging_in import FACTOR, YOU, logged_in, set_up_app
from tests.accounts.pages import page
from tests.config.commands import PROJECT

CENTER = "/accounts/100001/contact-center/"
BILLING = "/accounts/100001/billing/"
CUSTOMERS = [
    "/accounts/100001/",
    *(CENTER + tab for tab in ("subscription/", "users/", "phone-numbers/", "go-live/")),
    *(BILLING + tab for tab in ("", "invoices/", "usage/", "profile/")),
]
LOGIN_PAGES = [
    *(f"/login/{path}/" for path in ("login", "password/reset", "password/reset/done", "signup")),
    "/nowhere/",
]
OWN = [YOU, YOU + "address/", "/login/password/change/"]
OWN += [FACTOR + path for path in ("app/remove/", "passkeys/add/", "codes/", "codes/new/")]
STRICT = {
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    "font-src 'self'",
    "connect-src 'self'",
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
}
# The base template of emails, which has inline styles because mail programs support no others.
LETTER = PROJECT / "templates" / "notices" / "base.html"


class Inline(HTMLParser):
    """Collects what a strict policy blocks: inline scripts and styles, and event handlers in attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        names = {name for name, _ in attributes}
        if tag == "style" or (tag == "script" and "src" not in names):
            self.found.append(tag)
        self.found += [name for name in names if name == "style" or name.startswith("on")]
        self.found += [str(value) for _, value in attributes if (value or "").strip().lower().startswith("javascript:")]
        if tag in ("script", "link", "img", "iframe"):
            self.found += [str(value) for _, value in attributes if re.match(r"(https?:)?//", value or "")]


def policy(answer: HttpResponse) -> set[str]:
    return {part.strip() for part in answer["Content-Security-Policy"].split(";")}


def assert_strict(answer: Any, *, but: frozenset[str] = frozenset()) -> None:
    assert answer.status_code in (200, 404), answer
    differs = policy(answer) ^ STRICT
    assert differs == ({"img-src 'self'", *but} if but else set())
    assert Inline(answer.content.decode()).found == []
    assert answer["Referrer-Policy"] == "same-origin"
    assert answer["Cross-Origin-Opener-Policy"] == "same-origin"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["X-Frame-Options"] == "DENY"
    assert "camera=()" in answer["Permissions-Policy"]
    assert "publickey-credentials-get=(self)" in answer["Permissions-Policy"]


def test_the_reader_finds_what_is_blocked() -> None:
    page = '<script>1</script><script src="/a.js"></script><style></style><p style="x" onclick="y">'
    assert sorted(Inline(page + '<a href="javascript:x"><img src="//x.com/a">').found) == [
        "//x.com/a", "javascript:x", "onclick", "script", "style", "style",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "template", sorted((PROJECT / "templates").rglob("*.html")), ids=lambda path: str(path.relative_to(PROJECT))
)
def test_no_template_has_anything_inline(template: Path) -> None:
    assert Inline(template.read_text()).found == (["style"] if template == LETTER else [])


@pytest.mark.parametrize("path", CUSTOMERS)
def test_customers_pages_are_strict(path: str, active: Account, owner: User) -> None:
    assert_strict(logged_in(owner).get(path))


@pytest.mark.parametrize("path", LOGIN_PAGES)
def test_pages_before_log_in_are_strict(path: str, db: None) -> None:
    assert_strict(Client().get(path))


def test_pages_of_ones_own_log_in_are_strict(account: Account, owner: User) -> None:
    client = logged_in(owner)
    assert_strict(client.get("/login/reauthenticate/"))
    set_up_app(client)
    for path in OWN:
        assert_strict(client.get(path))
    client.post(FACTOR + "app/remove/")
    assert_strict(client.get(FACTOR + "app/"), but=frozenset({"img-src 'self' data:"}))


@pytest.mark.parametrize("model", sorted(admin.site._registry, key=lambda model: model._meta.label))
def test_the_admin_alone_has_what_unfold_needs(
    model: Any,
    everything: None,
    root: User,
    login: Callable[[User], Client],
) -> None:
    answer = login(root).get(page(model, "changelist"))
    assert policy(answer) - STRICT == {
        "script-src 'self' 'unsafe-inline' 'unsafe-eval'",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data:",
    }
    assert "frame-ancestors 'none'" in policy(answer)


def test_a_page_of_ours_below_the_admins_address_is_strict(db: None) -> None:
    assert policy(Client().get("/admin-not/")) == STRICT
