"""/metrics: off by default, protected by a token, and what it counts."""

import re
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.test import Client

from accounts.models import Account
from config.metrics import Durations
from tests.billing.bills import Customers, bill
from tests.config.commands import python
from tests.config.queue import queued

TOKEN = "a-token-that-only-prometheus-knows"


@pytest.fixture
def switched_on(settings: Any) -> None:
    settings.METRICS, settings.METRICS_TOKEN = True, TOKEN


def read(client: Client, token: str = TOKEN) -> dict[str, float]:
    """Return the value of each series, by its name and labels."""
    answer = client.get("/metrics", headers={"authorization": f"Bearer {token}"})
    assert (answer.status_code, answer["Content-Type"].split(";")[0]) == (200, "text/plain")
    return {
        name: float(value) for name, value in re.findall(r"^([a-z].*) ([^ ]+)$", answer.content.decode(), re.MULTILINE)
    }


def test_they_are_off_by_default(db: None, client: Client) -> None:
    assert client.get("/metrics", headers={"authorization": "Bearer "}).status_code == 404


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer ", f"Bearer {TOKEN}x", f"Basic {TOKEN}", "Bearer \xe9"])
def test_without_the_token_nothing_is_told(switched_on: None, client: Client, header: str) -> None:
    answer = client.get("/metrics", headers={"authorization": header})  # without a database, so that a query would fail
    assert (answer.status_code, answer["WWW-Authenticate"]) == (401, "Bearer")
    assert "hostpilot" not in answer.content.decode()


def test_an_empty_database_has_every_series_at_zero(switched_on: None, db: None, client: Client) -> None:
    found = read(client)
    assert found["hostpilot_accounts_in_onboarding"] == found["hostpilot_activations_total"] == 0
    assert {name: value for name, value in found.items() if "jobs" in name} == {
        f'hostpilot_jobs{{state="{state}"}}': 0
        for state in ("todo", "doing", "succeeded", "failed", "cancelled", "aborted")
    }
    assert found['hostpilot_bill_runs{state="finished"}'] == 0
    assert "hostpilot_bill_run_finished_timestamp_seconds" not in found


def test_they_count_what_there_is(switched_on: None, customers: Customers, installed: Account, client: Client) -> None:
    customers(2)
    bill()
    queued("core.clean_up", "failed")
    queued("billing.bill_run", "succeeded")
    found = read(client)
    expected = {
        "hostpilot_accounts_in_onboarding": 1,
        "hostpilot_activations_total": 2,
        'hostpilot_jobs{state="failed"}': 1,
        'hostpilot_jobs{state="succeeded"}': 1,
        'hostpilot_jobs{state="todo"}': 0,
        'hostpilot_bill_runs{state="finished"}': 1,
        'hostpilot_bill_runs{state="unfinished"}': 0,
        'hostpilot_bill_run_bills{state="invoiced"}': 2,
        'hostpilot_bill_run_bills{state="failed"}': 0,
    }
    assert {name: found[name] for name in expected} == expected
    states = ("waiting", "sent", "dropped", "failed")
    assert {name for name in found if "notices" in name or "emails" in name} == {
        f'hostpilot_{what}{{state="{state}"}}' for what in ("notices", "login_emails") for state in states
    }


def test_durations_are_told_by_route_and_never_by_address(switched_on: None, db: None, client: Client) -> None:
    def answer(request: HttpRequest) -> HttpResponse:
        request.resolver_match = client.get("/login/").wsgi_request.resolver_match
        return HttpResponse(status=204)

    request = HttpRequest()
    request.method = "BREW"
    Durations(answer)(request)
    request.method = "GET"
    Durations(answer)(request)
    Durations(lambda request: HttpResponse(status=404))(HttpRequest())
    found = {name for name in read(client) if name.startswith("hostpilot_request_duration_seconds_count")}
    name = "hostpilot_request_duration_seconds_count"
    assert {
        f'{name}{{method="GET",route="login/",status="2xx"}}',
        f'{name}{{method="other",route="login/",status="2xx"}}',
        f'{name}{{method="other",route="none",status="4xx"}}',
    } <= found


def test_processes_add_up_their_durations_in_a_folder(db: None, tmp_path: Path) -> None:
    ask = (
        "import tests.environment; import django; django.setup()\n"  # which knows the server of the tests
        "from django.test import Client; from django.conf import settings\n"
        "from django.db import connection; import sys; connection.settings_dict['NAME'] = sys.argv[1]\n"
        "client = Client(headers={'host': 'localhost', 'authorization': 'Bearer ' + settings.METRICS_TOKEN})\n"
        "client.get('/no/such/page')\n"
        "print(client.get('/metrics').content.decode())"
    )
    environment = {
        "DEBUG": "true",
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "METRICS": "true",
        "METRICS_TOKEN": TOKEN,
        "METRICS_FOLDER": str(tmp_path),
    }
    name = connection.settings_dict["NAME"]
    counted = 'hostpilot_request_duration_seconds_count{method="GET",route="none",status="4xx"} '
    for times in (1, 2):
        done = python("-c", ask, name, **environment)
        assert f"{counted}{times}.0" in done.stdout, done.stderr
