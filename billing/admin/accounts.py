"""What billing adds to an account's page: the correction of its time zone, as long as no invoice was issued."""

from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from unfold.widgets import UnfoldAdminTextareaWidget

from accounts.admin import ACCOUNT_PAGE
from accounts.admin.customers import zone_field
from accounts.models import Account
from accounts.roles import staff_of
from billing.actions import correct_timezone
from billing.models import Invoice
from billing.timezones import PERMISSION, timezone_refusal
from core.admin import Button
from core.refusals import AlreadyDone, show_as_message, show_refusal
from onboarding.admin.accounts import is_installed


class TimezoneForm(forms.Form):
    """The correct time zone, and the reason for the correction."""

    def __init__(self, *args: Any, account: Account, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["timezone"] = zone_field(account.timezone, label="Time zone", initial=account.timezone)
        self.fields["reason"] = forms.CharField(
            max_length=2_000,
            widget=UnfoldAdminTextareaWidget(attrs={"rows": 2}),
            help_text="Kept in the account's history.",
            error_messages={"required": "Enter a reason."},
        )


def can_be_corrected(account: Account) -> bool:
    """Return whether Contact Center is installed, so that the form can't change the zone, and no invoice was issued."""
    return is_installed(account) and not Invoice.objects.filter(account=account).exists()


def timezone_page(model_admin: Any, request: HttpRequest, object_id: str) -> HttpResponse:
    """Show what a correction means, or make it if the form was posted. Both need the permission."""
    account = model_admin.row_or_404(request, object_id)
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
    frame = {**model_admin.admin_site.each_context(request), "title": "Correct the time zone", "opts": model_admin.opts}
    context = {"form": form, "back": back, "account": account, "button": "Correct time zone", "icon": "check"}
    return TemplateResponse(request, "admin/accounts/account/timezone.html", {**frame, **context})


ACCOUNT_PAGE.register_button(
    Button(
        "correct_timezone",
        title="Correct time zone…",
        path="correct-time-zone",
        icon="globe_clock",
        place=20,
        permission=PERMISSION,
        verb="correct_timezone",
        view=timezone_page,
        is_offered=can_be_corrected,
    )
)
