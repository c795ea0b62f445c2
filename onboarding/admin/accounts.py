"""The page of an account, with what onboarding adds: the fixed time zone, and the button that activates."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from unfold.decorators import action
from unfold.enums import ActionVariant

from accounts.admin import AccountAdmin
from accounts.models import Account
from accounts.verbs import stands_for
from onboarding.admin.activation import PERMISSION, activation_page
from onboarding.models import Onboarding


class OnboardedAccountAdmin(AccountAdmin):
    """The account with its mode. Registered by `billing`, which adds what invoices decide."""

    actions_detail: tuple[str, ...] = ("activate_account",)

    def has_activate_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm(PERMISSION)

    def get_readonly_fields(self, request: HttpRequest, obj: Account | None = None) -> Any:
        """Return the time zone too, once Contact Center is installed: from then on it is corrected, with a reason."""
        fixed = ("timezone",) if obj and Onboarding.objects.filter(account=obj).exists() else ()
        return (*super().get_readonly_fields(request, obj), *fixed)

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """Offer the button that activates only where there is something to activate."""
        actions = super().get_actions_detail(request, object_id)
        account = self.get_object(request, str(object_id))
        waits = account and Onboarding.objects.in_onboarding().filter(account=account).exists()
        return [each for each in actions if waits or not each.action_name.endswith("activate_account")]

    @action(
        description="Activate…",
        permissions=["activate"],
        url_path="activate",
        icon="rocket_launch",
        variant=ActionVariant.PRIMARY,
    )
    @stands_for("activate")
    def activate_account(self, request: HttpRequest, object_id: str) -> HttpResponse:
        account = self.row_or_404(request, object_id)
        back = reverse("admin:accounts_account_change", args=[account.pk])
        return activation_page(self, request, [account.pk], back=back)
