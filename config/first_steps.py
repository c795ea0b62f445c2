"""What a new provider still has to set up, as the dashboard lists it to administrators until the first account."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC

from allauth.mfa.models import Authenticator
from django.conf import settings
from django.urls import reverse

from accounts.models import Account, User
from billing.models import Issuer
from core.clock import database_now
from subscriptions.models import Item

NOT_DELIVERED = ("console", "dummy", "filebased", "locmem")  # backends of Django that send nothing to anybody


@dataclass(frozen=True)
class Step:
    """Something to set up: a title, whether it is done, how it is done, and the page for it, if there is one."""

    title: str
    is_done: bool
    how: str
    link: str = ""


def first_steps(visitor: User) -> list[Step]:
    """Return all steps as long as one that bills depend on is missing, otherwise none. At most six queries."""
    needed = list(_needed())
    return [*needed, *_recommended(visitor)] if not all(step.is_done for step in needed) else []


def _needed() -> Iterator[Step]:
    """Yield the steps without which no customer can be billed."""
    yield Step(
        "Issuer",
        Issuer.objects.in_force(database_now().astimezone(UTC).date()) is not None,
        "Enter your company's name, address, tax number and payment terms. Invoices name them.",
        reverse("admin:billing_issuer_add"),
    )
    yield Step(
        "Catalog",
        Item.objects.exists(),
        "Load your items and prices with the command load_catalogue.",
        reverse("admin:subscriptions_item_changelist"),
    )
    yield Step(
        "First account",
        Account.objects.exists(),
        "Add a customer, with a contact who is Account Owner.",
        reverse("admin:accounts_account_add"),
    )


def _recommended(visitor: User) -> Iterator[Step]:
    staff = User.objects.filter(is_staff=True, is_active=True, is_superuser=False, groups__isnull=False)
    yield Step(
        "First colleague",
        staff.exists(),
        "Add a login for each colleague, and choose the team: Onboarding team, Billing team or Support.",
        reverse("admin:accounts_user_add"),
    )
    yield Step(
        "Email",
        not any(name in settings.EMAIL_BACKEND for name in NOT_DELIVERED),
        "Set EMAIL_URL to your mail server, and keep a worker running. Until then, nobody gets an email.",
    )
    yield Step(
        "Second factor",
        Authenticator.objects.filter(user=visitor).exists(),
        "Protect your own login with an app or a passkey.",
        reverse("mfa_index"),
    )
