"""Settings: each is documented with its default, and an invalid one is reported in one sentence."""

import re

import pytest

from config.environment import env
from tests.config.commands import PRODUCTION, PROJECT, manage, python, sentence

SECRET = "hunter2"
UNREACHABLE = f"postgres://somebody:{SECRET}@127.0.0.1:1/nothing"


def test_the_example_lists_every_setting_with_its_default() -> None:
    listed = dict(re.findall(r"^([A-Z_]+)=(.*)$", (PROJECT / ".env.example").read_text(), re.MULTILINE))
    written = {
        name: ",".join(default) if cast is list else str(default) for name, (cast, default) in env.scheme.items()
    }
    assert listed == written


def test_the_example_explains_every_setting() -> None:
    paragraphs = (PROJECT / ".env.example").read_text().strip().split("\n\n")
    assert all(paragraph.startswith("# ") for paragraph in paragraphs)


@pytest.mark.parametrize(
    ("environment", "names"),
    [
        ({"DEBUG": "maybe"}, "DEBUG"),
        ({"DEBUG": "false", "SECRET_KEY": ""}, "SECRET_KEY"),
        ({**PRODUCTION, "SECRET_KEY": "short"}, "SECRET_KEY"),
        ({**PRODUCTION, "ALLOWED_HOSTS": ""}, "ALLOWED_HOSTS"),
        ({**PRODUCTION, "ALLOWED_HOSTS": "https://panel.example.com"}, "ALLOWED_HOSTS"),
        ({"CSRF_TRUSTED_ORIGINS": "panel.example.com"}, "CSRF_TRUSTED_ORIGINS"),
        ({**PRODUCTION, "SITE_URL": ""}, "SITE_URL"),
        ({**PRODUCTION, "SITE_URL": "http://panel.example.com"}, "SITE_URL"),
        ({"SITE_URL": "panel.example.com"}, "SITE_URL"),
        ({"SITE_URL": "https://panel.example.com/accounts/"}, "SITE_URL"),
        ({"SITE_URL": f"https://somebody:{SECRET}@panel.example.com"}, "SITE_URL"),
        ({"SITE_URL": "https://panel.example.com:port"}, "SITE_URL"),
        ({"SITE_URL": "https://"}, "SITE_URL"),
        ({"DATABASE_URL": "foo"}, "DATABASE_URL"),
        ({"DATABASE_URL": f"mysql://somebody:{SECRET}@localhost/name"}, "DATABASE_URL"),
        ({"DATABASE_URL": f"postgres://somebody:{SECRET}@localhost"}, "DATABASE_URL"),
        ({"DATABASE_URL": "postgres://localhost:port/name"}, "DATABASE_URL"),
        ({"DATABASE_URL": "postgres://localhost/name?wrong=1"}, "DATABASE_URL"),
        ({**PRODUCTION, "DATABASE_URL": "postgres://localhost/test_name"}, "DATABASE_URL"),
        ({"STATEMENT_TIMEOUT_MS": "soon"}, "STATEMENT_TIMEOUT_MS"),
        ({"STATEMENT_TIMEOUT_MS": "-1"}, "STATEMENT_TIMEOUT_MS"),
        ({"LOCK_TIMEOUT_MS": ""}, "LOCK_TIMEOUT_MS"),
        ({"EMAIL_URL": "foo"}, "EMAIL_URL"),
        ({"EMAIL_URL": ""}, "EMAIL_URL"),
        ({"EMAIL_URL": "smtp://"}, "EMAIL_URL"),
        ({"EMAIL_URL": f"smtp://somebody:{SECRET}@localhost:port"}, "EMAIL_URL"),
        ({"DEFAULT_FROM_EMAIL": "HostPilot"}, "DEFAULT_FROM_EMAIL"),
        ({"HTTPS_ONLY": "maybe"}, "HTTPS_ONLY"),
        ({"BEHIND_PROXY": "nginx"}, "BEHIND_PROXY"),
        ({"HSTS_SECONDS": "a year"}, "HSTS_SECONDS"),
        ({"STAFF_SECOND_FACTOR": "sometimes"}, "STAFF_SECOND_FACTOR"),
        ({"MAINTENANCE_FILE": ""}, "MAINTENANCE_FILE"),
        ({"MAINTENANCE_FILE": "static"}, "MAINTENANCE_FILE"),
        ({"LOG_LEVEL": "LOUD"}, "LOG_LEVEL"),
        ({"ONBOARDING_DEADLINE_DAYS": "sixty"}, "ONBOARDING_DEADLINE_DAYS"),
        ({"ONBOARDING_DEADLINE_DAYS": "3651"}, "ONBOARDING_DEADLINE_DAYS"),
        ({"ONBOARDING_BLACKOUT_DATES": "2026-12-24, Christmas"}, "ONBOARDING_BLACKOUT_DATES"),
        ({"ONBOARDING_BLACKOUT_DATES": "2026-02-30"}, "ONBOARDING_BLACKOUT_DATES"),
        ({"JOURNAL_ACCOUNTS": "4000"}, "JOURNAL_ACCOUNTS"),
        ({"JOURNAL_ACCOUNTS": "usage="}, "JOURNAL_ACCOUNTS"),
        ({"ONBOARDING_ACTIVATIONS_A_NIGHT": "-1"}, "ONBOARDING_ACTIVATIONS_A_NIGHT"),
        ({"ONBOARDING_ACTIVATIONS_A_DAY": "many"}, "ONBOARDING_ACTIVATIONS_A_DAY"),
        ({"METRICS": "maybe"}, "METRICS"),
        ({"METRICS": "true"}, "METRICS_TOKEN"),
        ({"METRICS": "true", "METRICS_TOKEN": "short"}, "METRICS_TOKEN"),
        ({"METRICS": "true", "METRICS_TOKEN": "t" * 20, "METRICS_FOLDER": "/nowhere"}, "METRICS_FOLDER"),
        ({"BILL_RUN_BY_ITSELF": "maybe"}, "BILL_RUN_BY_ITSELF"),
        ({"BILL_RUN_AFTER_DAYS": "soon"}, "BILL_RUN_AFTER_DAYS"),
        ({"BILL_RUN_AFTER_DAYS": "366"}, "BILL_RUN_AFTER_DAYS"),
        ({"JOBS_LATE_MINUTES": "-1"}, "JOBS_LATE_MINUTES"),
    ],
)
def test_a_wrong_setting_is_told_in_one_sentence(environment: dict[str, str], names: str) -> None:
    told = sentence(manage("check", **{"DEBUG": "true", **environment}))
    assert told.startswith(f"Settings: {names} ")
    assert SECRET not in told


@pytest.mark.parametrize("command", ["check --database default", "migrate", "runserver 0"])
def test_a_server_that_is_not_there_is_told_in_one_sentence(command: str) -> None:
    done = manage(*command.split(), DEBUG="true", LOG_LEVEL="WARNING", DATABASE_URL=UNREACHABLE)
    assert done.returncode == 1
    told = [line for line in done.stderr.splitlines() if not line.startswith("Watching for file changes")]
    assert len(told) == 1, done.stderr
    assert told[0].startswith("Database: ")
    assert "127.0.0.1" in told[0]
    assert SECRET not in told[0]


def test_gunicorn_gives_up_on_a_wrong_setting_in_one_sentence() -> None:
    done = python("-m", "gunicorn", "config.wsgi", "--bind", "127.0.0.1:0", "--log-level", "critical", DEBUG="maybe")
    assert (done.returncode, done.stderr) == (3, "Settings: DEBUG must be true or false, not 'maybe'.\n")


def test_production_settings_pass_the_checks_of_a_deployment_without_a_warning() -> None:
    done = manage("check", "--deploy", "--fail-level", "WARNING", **PRODUCTION)
    assert (done.returncode, done.stdout.strip()) == (0, "System check identified no issues (0 silenced).")


def test_a_secret_key_may_begin_with_a_dollar_sign() -> None:
    key = "$" + PRODUCTION["SECRET_KEY"]
    done = manage(
        "shell", "-v", "0", "-c", "from django.conf import settings; print(settings.SECRET_KEY)",
        **{**PRODUCTION, "SECRET_KEY": key},
    )  # fmt: skip
    assert done.stdout.strip() == key


def test_hosts_may_have_blanks_around_them() -> None:
    done = manage(
        "shell", "-v", "0", "-c", "from django.conf import settings; print(settings.ALLOWED_HOSTS)",
        **{**PRODUCTION, "ALLOWED_HOSTS": "panel.example.com, panel.example.org"},
    )  # fmt: skip
    assert done.stdout.strip() == "['panel.example.com', 'panel.example.org']"
