"""The page of an account, with what invoices decide: whether its time zone can still be corrected."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from unfold.decorators import action
from unfold.widgets import UnfoldAdminTextareaWidget

from accounts.admin.customers import zone_field
from accounts.models import Account
from accounts.roles import staff_of
from accounts.verbs import stands_for
from billing.actions.correct_timezone import PERMISSION, correct_timezone, timezone_refusal
from billing.models import Invoice
from core.refusals import AlreadyDone, show_as_message, show_refusal
from onboarding.admin import OnboardedAccountAdmin
from onboarding.models import Onboarding


class TimezoneForm(forms.Form):
    """The right time zone, and why the other one was wrong."""

    def __init__(self, *args: Any, account: Account, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["timezone"] = zone_field(account.timezone, label="Time zone", initial=account.timezone)
        self.fields["reason"] = forms.CharField(
            max_length=2_000,
            widget=UnfoldAdminTextareaWidget(attrs={"rows": 2}),
            help_text="Kept in the account's history.",
            error_messages={"required": "Enter a reason."},
        )


@admin.register(Account)
class BilledAccountAdmin(OnboardedAccountAdmin):
    actions_detail = (*OnboardedAccountAdmin.actions_detail, "correct_timezone")

    def has_correct_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm(PERMISSION)

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """Offer the correction where the zone is no longer a field of the form, until an invoice was issued."""
        actions = super().get_actions_detail(request, object_id)
        account = self.get_object(request, str(object_id))
        can_be_corrected = (
            account is not None
            and Onboarding.objects.filter(account=account).exists()
            and not Invoice.objects.filter(account=account).exists()
        )
        return [each for each in actions if can_be_corrected or not each.action_name.endswith("correct_timezone")]

    @action(description="Correct time zone…", permissions=["correct"], url_path="correct-time-zone", icon="globe_clock")
    @stands_for("correct_timezone")
    def correct_timezone(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Show what a correction means, or make it. Needs the permission for both."""
        account = self.row_or_404(request, object_id)
        by = staff_of(request, PERMISSION)
        back = reverse("admin:accounts_account_change", args=[account.pk])
        form = TimezoneForm(request.POST if request.method == "POST" else None, account=account)
        if refusal := timezone_refusal(account):
            show_as_message(request, refusal)
            return HttpResponseRedirect(back)
        if form.is_valid():
            try:
                correct_timezone(account, **form.cleaned_data, by=by)
            except AlreadyDone as answer:
                show_as_message(request, answer)
                return HttpResponseRedirect(back)
            except ValidationError as reasons:
                show_refusal(form, reasons)
            else:
                messages.success(request, f"{account} is now in the time zone {form.cleaned_data['timezone']}.")
                return HttpResponseRedirect(back)
        frame = {**self.admin_site.each_context(request), "title": "Correct the time zone", "opts": self.opts}
        context = {"form": form, "back": back, "account": account, "button": "Correct time zone", "icon": "check"}
        return TemplateResponse(request, "admin/accounts/account/timezone.html", {**frame, **context})
