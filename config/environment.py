"""Settings from the environment and `.env`: their names, their defaults, and how each is parsed.

An invalid value raises an ImproperlyConfigured that says what to write instead.
"""

from datetime import date
from pathlib import Path
from urllib.parse import urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured

PROJECT = Path(__file__).resolve().parent.parent

env = environ.Env(
    DEBUG=(str, "false"),
    SECRET_KEY=(str, ""),
    ALLOWED_HOSTS=(list, []),
    CSRF_TRUSTED_ORIGINS=(list, []),
    SITE_URL=(str, ""),
    DATABASE_URL=(str, ""),
    STATEMENT_TIMEOUT_MS=(int, 30_000),
    LOCK_TIMEOUT_MS=(int, 10_000),
    EMAIL_URL=(str, "consolemail://"),
    DEFAULT_FROM_EMAIL=(str, "HostPilot <hostpilot@example.com>"),
    BRAND_NAME=(str, "HostPilot"),
    HTTPS_ONLY=(str, ""),
    BEHIND_PROXY=(str, "false"),
    HSTS_SECONDS=(int, 31_536_000),
    MAIL_WITHOUT_WORKER=(str, ""),
    STAFF_SECOND_FACTOR=(str, "false"),
    MAINTENANCE_FILE=(str, ".maintenance"),
    LOG_LEVEL=(str, "INFO"),
    BILL_HOLD_USAGE_ABOVE=(int, 2_000),
    BILL_HOLD_USAGE_TIMES=(int, 10),
    BILL_HOLD_PRICE_TIMES=(int, 10),
    BILL_HOLD_TOTAL_ABOVE=(int, 0),
    JOURNAL_ACCOUNTS=(str, ""),
    CALL_LONGEST_HOURS=(int, 24),
    ONBOARDING_DEADLINE_DAYS=(int, 0),
    ONBOARDING_BLACKOUT_DATES=(list, []),
    ONBOARDING_ACTIVATIONS_A_NIGHT=(int, 200),
    ONBOARDING_ACTIVATIONS_A_DAY=(int, 200),
    BILL_RUN_BY_ITSELF=(str, "false"),
    BILL_RUN_AFTER_DAYS=(int, 1),
    CALL_FEED_SILENT_HOURS=(int, 48),
    CALL_FEED_LOW_PERCENT=(int, 25),
    JOBS_LATE_MINUTES=(int, 15),
    METRICS=(str, "false"),
    METRICS_TOKEN=(str, ""),
    METRICS_FOLDER=(str, ""),
)
try:
    environ.Env.read_env(PROJECT / ".env")
except UnicodeDecodeError as error:
    raise ImproperlyConfigured("The file .env must be saved as UTF-8.") from error


def yes_or_no(name: str, *, default: bool = False) -> bool:
    """Return the setting as a bool. Raises ImproperlyConfigured for any other word: `DEBUG=flase` must not mean off."""
    value = env.str(name).strip().lower()
    if value == "":
        return default
    if value not in ("true", "false", "yes", "no", "1", "0", "on", "off"):
        raise ImproperlyConfigured(f"{name} must be true or false, not {value!r}.")
    return value in ("true", "yes", "1", "on")


def whole_number(name: str, *, most: int | None = None) -> int:
    """Return the setting as an int from 0 to `most`. Raises ImproperlyConfigured for anything else."""
    try:
        value: int = env.int(name)
    except ValueError:
        value = -1
    if value < 0 or (most is not None and value > most):
        to = "or more" if most is None else f"to {most}"
        raise ImproperlyConfigured(f"{name} must be a whole number, 0 {to}.")
    return value


def listed(name: str) -> list[str]:
    """Return the setting's values, which are separated by commas, without spaces around them."""
    return [value.strip() for value in env.list(name) if value.strip()]


def dates(name: str) -> frozenset[date]:
    """Return the setting's days, which are separated by commas. Raises ImproperlyConfigured if one isn't a day."""
    try:
        return frozenset(date.fromisoformat(value) for value in listed(name))
    except ValueError:
        raise ImproperlyConfigured(f"{name} must be days like 2026-12-24,2026-12-25, separated by commas.") from None


def email_settings() -> dict[str, object]:
    """Return Django's settings for EMAIL_URL. Raises ImproperlyConfigured if it isn't a mail server's address."""
    try:
        found: dict[str, object] = env.email_url("EMAIL_URL")
    except (ImproperlyConfigured, ValueError):
        found = {}
    if not found or ("smtp" in str(found["EMAIL_BACKEND"]) and not found["EMAIL_HOST"]):
        raise ImproperlyConfigured(
            "EMAIL_URL must be the address of a mail server, like smtp+tls://user:password@mail.example.com:587, "
            "or consolemail://, or filemail:// and a folder."
        )
    return found


def site_url(*, default: str, https_only: bool) -> str:
    """Return the URL that links in emails begin with, without a trailing slash.

    Raises ImproperlyConfigured if SITE_URL is not such a URL, or not https while `https_only`.
    """
    value = env.str("SITE_URL").strip() or default
    try:
        parts = urlsplit(value)
        whole = parts.scheme in ("https", "http") and parts.hostname and parts.port != 0 and parts.username is None
    except ValueError:
        whole = False
    if not whole or parts.path.strip("/") or parts.query or parts.fragment or any(map(str.isspace, value)):
        raise ImproperlyConfigured(
            "SITE_URL must be where customers reach the pages, like https://panel.example.com, without a path."
        )
    if https_only and parts.scheme != "https":
        raise ImproperlyConfigured("SITE_URL must begin with https://, since pages are served over HTTPS only.")
    return f"{parts.scheme}://{parts.netloc}"
