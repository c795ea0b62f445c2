"""Accounts to list, and addresses of the team's pages."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from django.test import Client
from django.urls import reverse

from accounts.models import Account
from onboarding.models import Onboarding

LIST = "/admin/onboarding/onboarding/"
Make = Callable[..., Account]


def days_ago(days: float) -> datetime:
    return datetime.now(UTC) - timedelta(days=days)


def of(account: Account) -> Onboarding:
    return Onboarding.objects.get(account=account)


def page(account: Account, name: str = "change") -> str:
    return reverse(f"admin:onboarding_onboarding_{name}", args=[of(account).pk])


def listed(client: Client, query: str = "") -> list[Account]:
    """Return the accounts that the worklist shows, in its order."""
    answer = client.get(f"{LIST}?{query}")
    assert answer.status_code == 200, query
    return [row.account for row in answer.context["cl"].result_list]


def keys(*accounts: Account) -> str:
    return ",".join(str(account.pk) for account in accounts)


def text_of(answer: Any) -> str:
    return " ".join(answer.content.decode().split())
