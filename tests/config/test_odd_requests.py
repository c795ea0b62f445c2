"""Requests that no page makes are answered, never with an error page, and what is somebody's own is never kept."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.test import Client, RequestFactory

from accounts.models import Account, PhoneNumber, User
from config.wsgi import application
from core.groups import ONBOARDING_TEAM
from tests.accounts.conftest import everything
from tests.accounts.login.logging_in import logged_in

__all__ = ["everything"]


def answer_of(path: str, content_type: str, method: str = "GET") -> str:
    """Return the status that a WSGI server gets for a request of this content type."""
    started: list[str] = []
    environ = RequestFactory().generic(method, path, b"", content_type).environ
    environ["CONTENT_TYPE"] = content_type
    list(application(environ, lambda status, headers: started.append(status)))
    return started[0][:3]


@pytest.mark.parametrize("charset", ["base64", "zip", "rot13", "hex", "idna", "punycode", "none", "\xff", "a\0b"])
@pytest.mark.parametrize("path", ["/healthz", "/login/", "/?q=%C3%A9", "/admin/"])
def test_a_charset_that_is_no_encoding_of_text(db: None, path: str, charset: str) -> None:
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"):
        assert answer_of(path, f"{kind}; charset={charset}") < "500"
        assert answer_of(path, f"{kind}; charset={charset}", "POST") < "500"


@pytest.mark.parametrize(
    "referer", ["https://[::1", "http://[", "http://testserver:port/", "//", "\\", "http://testserver/[::1"]
)
def test_a_referrer_that_is_no_address(db: None, client: Client, referer: str) -> None:
    for path in ("/", "/accounts/100001/", "/login/"):
        assert client.post(path, {"seats": "2"}, headers={"referer": referer}).status_code < 500


@pytest.mark.parametrize("offset", ["+16:00", "-23:59", "+15:59", "+23:59:59"])
@pytest.mark.parametrize("year", ["0002", "2026", "9998"])
def test_an_offset_that_the_database_does_not_know(
    client: Client, installed: Account, owner: User, offset: str, year: str
) -> None:
    client.force_login(owner)
    for name in ("before", "after"):
        query = {name: f"{year}-01-01T00:00:00{offset}~1~1"}
        assert client.get(f"/accounts/{installed.number}/audit-log/", query).status_code < 500


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("multipart/form-data", b"a=b"),
        ("multipart/form-data; boundary=x", b"--x\r\nContent-Disposition: form-data; name=a\r\n\r\n1"),
        ("application/x-www-form-urlencoded", b"a=1&" * 6_000),
        ("application/x-www-form-urlencoded", b"a=" + b"1" * 3_000_000),
        ("application/x-www-form-urlencoded", b"a=%ff\xff"),
        ("application/x-www-form-urlencoded; charset=utf-16", b"a=1"),
    ],
    ids=["no boundary", "no end", "too many fields", "too much", "no text", "another charset"],
)
@pytest.mark.parametrize("path", ["/nothing-here", "/admin/nothing/here/", "/accounts/1/", "/login/"])
def test_a_body_that_can_not_be_read(owner: User, path: str, kind: str, body: bytes) -> None:
    """For an unknown URL, it is the page of the error that reads the body."""
    for client in (Client(enforce_csrf_checks=True), logged_in(owner)):
        client.raise_request_exception = False
        for host in ("testserver", "[::1"):
            answer = client.post(path, body, content_type=kind, headers={"Host": host})
            assert answer.status_code in (200, 302, 400, 403, 404)


def test_maintenance_may_be_a_folder(db: None, client: Client, settings: Any, tmp_path: Path) -> None:
    settings.MAINTENANCE_FILE = tmp_path
    answer = client.get("/login/")
    assert answer.status_code == 503
    assert answer.headers["Retry-After"]


@pytest.mark.parametrize("junk", ["x", "-1", "9" * 30, "1.5", "٣", "None", "{}"])
def test_junk_where_the_admin_expects_a_key(client: Client, everything: None, root: User, junk: str) -> None:
    client.force_login(root)
    for path, fields in (
        ("accounts/phonenumber", {"account": junk, "number": "+12125550123"}),
        ("accounts/contact", {"account": junk, "user": junk, "role": "owner"}),
        ("accounts/serviceuser", {"account": junk, "name": "Ann", "email": "ann@example.com"}),
    ):
        answer = client.post(f"/admin/{path}/add/", fields)
        assert answer.status_code == 200, path
        assert "valid" in answer.content.decode()
        asked = {
            "app_label": "accounts",
            "model_name": path.split("/")[1],
            "field_name": junk,
            "term": junk,
            "page": junk,
        }
        assert client.get("/admin/autocomplete/", asked).status_code in (403, 404)


def test_what_is_somebodys_own_is_never_kept(
    client: Client, installed: Account, toll_free: PhoneNumber, owner: User, root: User
) -> None:
    client.force_login(owner)
    for path in ("/", f"/accounts/{installed.number}/", f"/accounts/{installed.number}/audit-log/csv/", "/nowhere/"):
        assert client.get(path).headers["Cache-Control"] == "private, no-store", path
    client.force_login(root)
    assert client.get("/admin/").headers["Cache-Control"] == "private, no-store"
    assert client.get("/admin/onboarding/onboarding/").headers["Cache-Control"] == "private, no-store"
    assert "Cache-Control" not in Client().get("/nowhere/").headers


def test_there_is_one_page_to_change_ones_password(client: Client, root: User) -> None:
    client.force_login(root)
    answer = client.get("/admin/password_change/", follow=True)
    assert [path for path, _ in answer.redirect_chain] == ["/login/password/change/"]
    before = root.password
    posted = {
        "old_password": "correct horse battery",
        "new_password1": "another horse",
        "new_password2": "another horse",
    }
    assert client.post("/admin/password_change/", posted).status_code == 302
    root.refresh_from_db()
    assert root.password == before


def test_a_team_of_the_product_keeps_its_name(client: Client, root: User, make_user: Callable[..., User]) -> None:
    client.force_login(root)
    team = Group.objects.get(name=ONBOARDING_TEAM)
    kept = [str(key) for key in team.permissions.values_list("pk", flat=True)]
    answer = client.post(f"/admin/auth/group/{team.pk}/change/", {"name": "Other", "permissions": kept})
    assert answer.status_code == 302
    team.refresh_from_db()
    assert team.name == ONBOARDING_TEAM
    own = Group.objects.create(name="Auditors")
    client.post(f"/admin/auth/group/{own.pk}/change/", {"name": "Reviewers"})
    own.refresh_from_db()
    assert own.name == "Reviewers"
