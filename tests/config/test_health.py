"""/healthz and /readyz: 200 if all checks pass, 503 with each reason, and reachable for load balancers."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.db import connection
from django.test import Client

from config import health
from tests.config.commands import PRODUCTION, python
from tests.config.queue import queued
from tests.guarding import sql

ALL_OK = dict.fromkeys(("database", "migrations", "guards", "jobs"), "ok")


@pytest.fixture(autouse=True)
def nothing_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "_seen", health._Seen())


def now() -> datetime:
    return datetime.now(UTC)


def ticked(at: datetime) -> None:
    """Record that a worker queued a periodic job at this time."""
    sql(
        "INSERT INTO procrastinate_periodic_defers (task_name, periodic_id, defer_timestamp) "
        "VALUES ('core.rescue', '', %s)",
        int(at.timestamp()),
    )


@pytest.fixture
def working(db: None) -> None:
    """Record that a worker ran just now."""
    ticked(now())


def readyz(client: Client) -> tuple[int, dict[str, str]]:
    answer = client.get("/readyz")
    return answer.status_code, answer.json()["checks"]


def red(client: Client, check: str) -> str:
    """Assert that only this check fails, and return its result."""
    status, checks = readyz(client)
    assert (status, {name for name, words in checks.items() if words != "ok"}) == (503, {check})
    return checks[check]


def test_where_all_is_in_place_it_is_ready(working: None, client: Client) -> None:
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok", "checks": ALL_OK})
    assert answer["Cache-Control"] == "no-store"
    assert not answer.cookies


def test_that_the_process_is_up_is_said_without_the_database(client: Client) -> None:
    answer = client.get("/healthz")  # without a database fixture, pytest-django would refuse a query
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


@pytest.mark.parametrize("page", ["/healthz", "/readyz"])
def test_a_load_balancer_asks_by_http_and_by_address(working: None, client: Client, settings: Any, page: str) -> None:
    settings.SECURE_SSL_REDIRECT = True
    settings.ALLOWED_HOSTS = ["panel.example.com"]
    assert client.get(page, headers={"host": "10.0.0.5:8000"}).status_code == 200
    assert client.get("/login/", headers={"host": "panel.example.com"}).status_code == 301
    assert client.head(page).status_code == 200
    assert client.post(page).status_code == 405


def test_without_a_guard_it_is_not_ready(working: None, client: Client) -> None:
    sql("DROP TRIGGER onboarding_activation_is_final ON onboarding_onboarding")
    assert red(client, "guards") == "MISSING: onboarding_activation_is_final."


def test_with_a_guard_switched_off_it_is_not_ready(working: None, client: Client) -> None:
    sql("ALTER TABLE onboarding_onboarding DISABLE TRIGGER onboarding_activation_is_final")
    assert red(client, "guards") == "OFF: onboarding_activation_is_final."


ANOTHER_BODY = "CREATE OR REPLACE FUNCTION onboarding_seat_limit() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN END $$"


def test_with_a_guard_changed_it_is_not_ready(working: None, client: Client) -> None:
    sql(ANOTHER_BODY)
    sql("ALTER TABLE subscriptions_contactcenter DROP CONSTRAINT seats_are_possible")
    assert red(client, "guards") == "MISSING: seats_are_possible. CHANGED: onboarding_seat_limit."


def test_with_a_guard_outdated_it_is_not_ready(working: None, client: Client) -> None:
    sql("DELETE FROM django_migrations WHERE app = 'subscriptions' AND name LIKE '0008%%'")
    sql(ANOTHER_BODY)
    status, checks = readyz(client)
    assert (status, checks["migrations"]) == (503, "1 not applied.")
    assert checks["guards"] == "OUTDATED: onboarding_seat_limit."


def test_of_many_guards_it_names_the_first(working: None, client: Client) -> None:
    for table in ("accounts_account", "onboarding_onboarding", "subscriptions_holding", "billing_invoice"):
        sql(f"ALTER TABLE {table} DISABLE TRIGGER USER")
    named, _, more = red(client, "guards").removeprefix("OFF: ").partition(" and ")
    assert len(named.split(", ")) == 10
    assert more.endswith(" more.")


@pytest.fixture
def upgrade(working: None) -> None:
    """A later release has migrated the database, and this process runs until it is replaced."""
    sql("INSERT INTO django_migrations (app, name, applied) VALUES ('billing', '9999_of_a_later_release', now())")


def test_during_an_upgrade_what_it_changed_only_warns(upgrade: None, client: Client) -> None:
    assert readyz(client) == (200, ALL_OK)
    sql(ANOTHER_BODY)
    sql("DROP TRIGGER onboarding_activation_is_final ON onboarding_onboarding")
    health._seen.found = None
    status, checks = readyz(client)
    assert status == 200
    assert checks == {
        **ALL_OK,
        "guards": "MISSING: onboarding_activation_is_final. CHANGED: onboarding_seat_limit. "
        "Only a warning: the database is a later release's.",
    }
    with pytest.raises(SystemCheckError, match=r"onboarding_seat_limit on subscriptions_contactcenter is CHANGED\."):
        call_command("check", databases=["default"])


@pytest.mark.parametrize(
    ("change", "check", "words"),
    [
        (
            "ALTER TABLE onboarding_onboarding DISABLE TRIGGER onboarding_activation_is_final",
            "guards",
            "OFF: onboarding_activation_is_final. CHANGED: onboarding_seat_limit.",
        ),
        ("SET LOCAL lock_timeout = 0", "database", "Answers with lock_timeout at 0 ms, not at 10000 ms."),
        ("SET LOCAL statement_timeout = 7", "database", "Answers with statement_timeout at 7 ms, not at 30000 ms."),
    ],
)
def test_during_an_upgrade_what_is_off_is_not_ready_even_then(
    upgrade: None, client: Client, change: str, check: str, words: str
) -> None:
    sql(ANOTHER_BODY)
    sql(change)
    status, checks = readyz(client)
    assert (status, checks[check]) == (503, words)


def test_a_migration_of_an_app_that_is_not_ours_is_no_upgrade(working: None, client: Client) -> None:
    """An app that was removed may have left migrations behind, which must not turn guards into mere warnings."""
    sql("INSERT INTO django_migrations (app, name, applied) VALUES ('taken_out', '0001_initial', now())")
    sql(ANOTHER_BODY)
    assert red(client, "guards") == "CHANGED: onboarding_seat_limit."


@pytest.mark.parametrize("timeout", ["lock_timeout", "statement_timeout"])
def test_without_its_timeouts_it_is_not_ready(working: None, client: Client, timeout: str) -> None:
    sql(f"SET LOCAL {timeout} = 0")
    status, checks = readyz(client)
    assert (status, checks["guards"]) == (503, "not checked")
    assert checks["database"].startswith(f"Answers with {timeout} at 0 ms, not at ")
    with pytest.raises(SystemCheckError, match=f"Answers with {timeout} at 0 ms"):
        call_command("check", databases=["default"])


def test_the_guards_are_looked_at_once_in_a_few_seconds(
    working: None, client: Client, monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: Any
) -> None:
    assert readyz(client)[0] == 200
    with django_assert_num_queries(5):
        assert readyz(client) == (200, ALL_OK)
    sql("DROP TRIGGER onboarding_activation_is_final ON onboarding_onboarding")
    assert readyz(client)[0] == 200
    monkeypatch.setattr(health, "GUARDS_KEPT_SECONDS", -1)
    assert red(client, "guards")


def test_without_a_migration_it_is_not_ready(working: None, client: Client) -> None:
    sql("DELETE FROM django_migrations WHERE app = 'billing' AND name LIKE '0003%%'")
    assert red(client, "migrations") == "1 not applied."


def test_where_no_worker_ever_ran_it_is_not_ready(db: None, client: Client) -> None:
    assert red(client, "jobs") == "No worker has run yet."


def test_where_no_worker_has_run_for_long_it_is_not_ready(db: None, client: Client, settings: Any) -> None:
    ticked(now() - timedelta(minutes=20, seconds=30))
    assert red(client, "jobs") == "No worker has run for 20 minutes."
    settings.JOBS_LATE_MINUTES = 21
    assert readyz(client) == (200, ALL_OK)


def test_where_a_job_has_waited_for_long_it_is_not_ready(working: None, client: Client, settings: Any) -> None:
    queued("core.clean_up", "todo", at=now() - timedelta(minutes=14))
    assert readyz(client) == (200, ALL_OK)
    late = queued("late", "todo", at=now() - timedelta(minutes=16, seconds=30))
    assert red(client, "jobs") == "A job has been due for 16 minutes."
    sql("UPDATE procrastinate_jobs SET scheduled_at = now() + interval '1 minute' WHERE id = %s", late.pk)
    assert readyz(client) == (200, ALL_OK)
    sql("UPDATE procrastinate_jobs SET scheduled_at = now() - interval '1 day' WHERE id = %s", late.pk)
    assert red(client, "jobs") == "A job has been due for 1440 minutes."
    settings.JOBS_LATE_MINUTES = 0
    assert readyz(client) == (200, ALL_OK)


def test_a_job_that_waits_for_the_one_before_it_is_not_late(working: None, client: Client) -> None:
    queued("billing.bill_run", "doing")
    queued("billing.bill_run", "todo", at=now() - timedelta(hours=2))
    assert readyz(client) == (200, ALL_OK)


def test_a_table_that_can_not_be_read_is_told_without_its_name(working: None, client: Client) -> None:
    sql("ALTER TABLE procrastinate_jobs RENAME TO not_yet")
    status, checks = readyz(client)
    assert (status, checks["jobs"]) == (503, "The database refused to say.")


def test_where_the_database_is_gone_it_is_told_without_its_address() -> None:
    ask = (
        "import django; django.setup(); from django.test import Client\n"
        "for page in ('/healthz', '/readyz'):\n"
        "    answer = Client().get(page); print(answer.status_code, answer.content.decode())"
    )
    done = python(
        "-c",
        ask,
        DJANGO_SETTINGS_MODULE="config.settings",
        **{**PRODUCTION, "DATABASE_URL": "postgres://somebody:hunter2@127.0.0.1:1/nothing"},
    )
    first, second = done.stdout.splitlines()
    assert first == '200 {"status": "ok"}'
    assert second.startswith('503 {"status": "not ready", "checks": {"database": "The database can\'t be reached."')
    assert all(word not in done.stdout + done.stderr for word in ("hunter2", "somebody", "127.0.0.1"))


def test_what_is_asked_does_not_stay_in_a_transaction(working: None, client: Client) -> None:
    readyz(client)
    assert not connection.needs_rollback
