"""Helpers for tests of the worklist: URLs of the team's pages, and the accounts listed."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.test import Client
from django.urls import reverse

from accounts.models import Account
from core.clock import database_now
from onboarding.admin.activation.objections import objections_to, rows_of
from onboarding.models import Onboarding

LIST = "/admin/onboarding/onboarding/"
ZONE = ZoneInfo("America/New_York")
"""The time zone of the tests' accounts."""
Make = Callable[..., Account]


def days_ago(days: float) -> datetime:
    """Return this many days ago in the accounts' zone, at the same local time, so a DST change shifts no day."""
    return (datetime.now(ZONE) - timedelta(days=days)).astimezone(UTC)


def of(account: Account) -> Onboarding:
    return Onboarding.objects.get(account=account)


def page(account: Account, name: str = "change") -> str:
    return reverse(f"admin:onboarding_onboarding_{name}", args=[of(account).pk])


def listed(client: Client, query: str = "") -> list[Account]:
    """Return the accounts on the worklist for this query string, in order."""
    answer = client.get(f"{LIST}?{query}")
    assert answer.status_code == 200, query
    return [row.account for row in answer.context["cl"].result_list]


def keys(*accounts: Account) -> str:
    return ",".join(str(account.pk) for account in accounts)


def ticks(*accounts: Account) -> list[str]:
    """Return what the page that activates posts for these accounts if all are ticked now."""
    against = objections_to(rows_of([account.pk for account in accounts], database_now()))
    return [f"{account.pk}:{','.join(against.get(account.pk, {}))}" for account in accounts]


def text_of(answer: Any) -> str:
    return " ".join(answer.content.decode().split())
