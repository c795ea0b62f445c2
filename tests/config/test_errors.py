"""Error pages: each says what happened and what to do, and needs nothing that may have failed."""

import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from accounts.models import Account, Contact, Role, User
from tests.accounts.login.logging_in import logged_in
from tests.mailing import delivered

RESET = "/login/password/reset/"


def helps(answer: Any, status: int, *words: str) -> str:
    """Assert that the page has this status and these words, a language, a heading and a next step, and return it."""
    page = answer.content.decode()
    assert answer.status_code == status
    assert '<html lang="en">' in page
    assert len(re.findall(r"<h1>[^<]+</h1>", page)) == 1
    assert re.search(r'<a class="button" href="[^"]*">', page)
    for said in words:
        assert said in page
    return page


def test_no_such_page(account: Account, owner: User) -> None:
    helps(Client().get("/nowhere/"), 404, "There is no such page", "mistyped")
    page = helps(logged_in(owner).get("/accounts/999999/"), 404, "You are logged in as olivia@example.com")
    assert "Account matches" not in page


def test_not_for_this_role(account: Account, owner: User) -> None:
    Contact.objects.filter(user=owner).update(role=Role.VIEWER)
    client = logged_in(owner)
    helps(client.post("/accounts/100001/contact-center/users/add/"), 403, "Your role on this account", "gives roles")


def test_staff_without_the_permission_are_told_whom_to_ask(make_user: Callable[..., User]) -> None:
    client = logged_in(make_user("new@example.com", is_staff=True))
    page = helps(client.get("/admin/billing/invoice/"), 403, "An administrator can add you", "Go to the back office")
    assert "your company" not in page


@pytest.mark.urls("tests.config.broken_urls")
def test_a_defect_shows_a_page_that_needs_no_database() -> None:
    client = Client(raise_request_exception=False)  # without a database fixture, so that a query would fail
    page = helps(client.get("/broken/"), 500, "Something went wrong on our side", "not changed", "HostPilot")
    assert "hunter2" not in page
    assert "/static/hostpilot/hostpilot.css" in page


# Maintenance ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def maintenance(settings: Any, tmp_path: Path) -> Path:
    settings.MAINTENANCE_FILE = tmp_path / "maintenance"
    return settings.MAINTENANCE_FILE


@pytest.mark.parametrize("path", ["/", "/accounts/100001/", "/admin/", "/login/", "/nowhere/"])
@pytest.mark.parametrize("method", ["get", "post"])
def test_maintenance_closes_every_page_without_the_database(maintenance: Path, path: str, method: str) -> None:
    maintenance.write_text("Back at <14:00> UTC.\n")
    client = Client()
    client.cookies["sessionid"] = "x" * 32
    answer = getattr(client, method)(path)
    helps(answer, 503, "We are working on HostPilot", "<strong>Back at &lt;14:00&gt; UTC.</strong>")
    assert answer["Retry-After"] == "300"
    assert "script-src 'self'" in answer["Content-Security-Policy"]


def test_maintenance_may_say_nothing_and_ends_with_the_file(maintenance: Path, db: None) -> None:
    maintenance.touch()
    assert "<strong>" not in helps(Client().get("/"), 503)
    maintenance.unlink()
    assert Client().get("/login/").status_code == 200


@pytest.mark.parametrize("path", ["/healthz", "/healthz/", "/readyz"])
def test_maintenance_is_not_for_probes(maintenance: Path, db: None, path: str) -> None:
    maintenance.touch()
    assert "We are working on" not in Client().get(path).content.decode()
    assert Client().get("/healthz-not").status_code == 503


# Too many tries -------------------------------------------------------------------------------------------------------


def test_too_many_tries_are_told_when_to_go_on(owner: User) -> None:
    client = Client(REMOTE_ADDR="203.0.113.8")
    start = timezone.now()
    with time_machine.travel(start, tick=False):
        for _ in range(20):
            assert client.post(RESET, {"email": "Olivia@example.com"}).status_code == 302
    delivered().clear()
    with time_machine.travel(start + timedelta(seconds=20), tick=False):
        stopped = client.post(RESET, {"email": "olivia@example.com"})
        assert 39 <= int(stopped["Retry-After"]) <= 41
        helps(stopped, 429, "Too many tries", f"Try again in {stopped['Retry-After']} seconds.")
        elsewhere = Client(REMOTE_ADDR="203.0.113.7")
        assert elsewhere.post(RESET, {"email": "other@example.com"}).status_code == 302
    assert delivered() == []
    with time_machine.travel(start + timedelta(seconds=61), tick=False):
        assert client.post(RESET, {"email": "olivia@example.com"}).status_code == 302


def test_log_in_from_one_place_has_a_limit(db: None) -> None:
    answers = {Client().post("/login/", {"login": f"n{number}@x.com"}).status_code for number in range(30)}
    assert answers == {200}
    stopped = Client().post("/login/", {"login": "n@x.com"})
    helps(stopped, 429, "Try again in")
    assert 1 <= int(stopped["Retry-After"]) <= 60
    elsewhere = Client(REMOTE_ADDR="203.0.113.7").post("/login/", {"login": "n@x.com"})
    assert elsewhere.status_code == 200


def test_counts_of_many_made_up_addresses_push_out_no_other(settings: Any) -> None:
    assert settings.CACHES["default"]["BACKEND"].endswith("DatabaseCache")
    assert settings.CACHES["default"]["OPTIONS"]["MAX_ENTRIES"] >= 100_000
