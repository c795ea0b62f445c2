"""What onboarding adds to the page of an account: the fixed time zone, and the button that activates."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from accounts.admin import ACCOUNT_PAGE
from accounts.models import Account
from core.admin import Button, FixedField
from onboarding.admin.activation import PERMISSION, activation_page
from onboarding.models import Onboarding


def is_installed(account: Account) -> bool:
    return Onboarding.objects.filter(account=account).exists()


def is_in_onboarding(account: Account) -> bool:
    return Onboarding.objects.in_onboarding().filter(account=account).exists()


def activate_account(model_admin: Any, request: HttpRequest, object_id: str) -> HttpResponse:
    account = model_admin.row_or_404(request, object_id)
    back = reverse("admin:accounts_account_change", args=[account.pk])
    return activation_page(model_admin, request, [account.pk], back=back)


# Once Contact Center is installed, the time zone can only be corrected, with a reason.
ACCOUNT_PAGE.register_fixed_field(FixedField("timezone", is_fixed=is_installed))
ACCOUNT_PAGE.register_button(
    Button(
        "activate_account",
        title="Activate…",
        path="activate",
        icon="rocket_launch",
        place=10,
        permission=PERMISSION,
        verb="activate",
        view=activate_account,
        is_offered=is_in_onboarding,
        is_primary=True,
    )
)
