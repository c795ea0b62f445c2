"""The page that activates accounts: it previews what will happen, and activates them when the form is posted."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils.formats import localize
from unfold.widgets import UnfoldAdminTextareaWidget

from accounts.models import Account, User
from accounts.roles import staff_of
from core.clock import database_now
from core.refusals import show_as_message
from onboarding.actions import activate, activate_many
from onboarding.activating import refusals_of
from onboarding.admin.results import Result, named, show_result, with_reasons
from onboarding.models import Onboarding, Origin

PERMISSION = "onboarding.activate_account"
SHOWN_IN_FULL = 200


class ChosenForm(forms.Form):
    """The chosen accounts, with all primary keys in one field, since a form may have at most 5,000 fields."""

    accounts = forms.RegexField(r"^[0-9]{1,18}(,[0-9]{1,18})*\Z", widget=forms.HiddenInput)

    def clean_accounts(self) -> list[int]:
        return list(dict.fromkeys(int(key) for key in self.cleaned_data["accounts"].split(",")))


class ActivationForm(ChosenForm):
    """The reason for the activation."""

    reason = forms.CharField(
        max_length=500,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3, "autofocus": True}),
        help_text="Kept with each account for good, like “Customer confirmed by phone, ticket 4711”.",
        error_messages={"required": "Say why the accounts are activated."},
    )


def activation_page(
    model_admin: Any, request: HttpRequest, accounts: Sequence[int], *, back: str, action: str = ""
) -> HttpResponse:
    """Preview the activation of the accounts with these primary keys, or activate them if the page's form was posted.

    Raises PermissionDenied if the user may not activate accounts. `back` is the URL to go to when done or cancelled,
    and `action` the URL that the form is posted to, by default this one. A form without a reason is shown again with
    the error at the field.
    """
    by = staff_of(request, PERMISSION)
    confirmed = request.method == "POST" and "reason" in request.POST
    form = ActivationForm(request.POST) if confirmed else ActivationForm(initial={"accounts": joined(accounts)})
    if confirmed and form.is_valid():
        return _activate(model_admin, request, accounts, by=by, reason=form.cleaned_data["reason"], back=back)
    refused = refusals_of(accounts)
    ready = [key for key in accounts if key not in refused]
    in_full = Onboarding.objects.filter(account__in=ready).oldest_first().select_related("account")[:SHOWN_IN_FULL]
    rows = list(in_full)
    rest = set(ready) - {row.account_id for row in rows}
    now = database_now()
    return TemplateResponse(
        request,
        "admin/onboarding/onboarding/activate.html",
        {
            **model_admin.admin_site.each_context(request),
            "title": "Activate for good",
            "opts": Onboarding._meta,
            "form": form,
            "form_action": action,
            "back": back,
            "count": len(ready),
            "headings": ["Account", "Number", "In onboarding", "Edition", "Holds", "Each month", "First bill"],
            "ready": ready,
            "rows": [(row, row.age(now).days) for row in rows],
            "keys": [row.account_id for row in rows],
            "rest": named(rest),
            "refused": with_reasons(refused),
        },
    )


def _activate(
    model_admin: Any, request: HttpRequest, accounts: Sequence[int], *, by: User, reason: str, back: str
) -> HttpResponse:
    """Activate the accounts and report the outcome of each: as a message for one account, on a page for several."""
    if len(accounts) == 1:
        account = Account.objects.filter(pk=accounts[0]).first()
        if account is None:
            messages.error(request, "There is no such account.")
            return HttpResponseRedirect(back)
        try:
            day = activate(account, by=by, reason=reason, origin=Origin.ADMIN).activated_on
        except ValidationError as refusal:
            show_as_message(request, refusal)
        else:
            messages.success(request, f"{account} is active for good, and charged from {localize(day)} on.")
        return HttpResponseRedirect(back)
    activated: list[int] = []
    refused: dict[int, str] = {}
    stopped = ""
    try:
        for outcome in activate_many(accounts, by=by, reason=reason, origin=Origin.ADMIN):
            activated += outcome.activated
            refused |= outcome.refused
    except PermissionDenied as denial:  # The permission was revoked during the run: report what was done until then.
        if not activated and not refused:
            raise
        stopped = str(denial)
    return show_result(
        request,
        Result("Activated", "No accounts were activated", activated, refused=refused, stopped=stopped),
    )


def keys_of(queryset: QuerySet[Onboarding]) -> list[int]:
    """Return the primary keys of the accounts of these rows, oldest first."""
    return list(queryset.oldest_first().values_list("account_id", flat=True))  # type: ignore[attr-defined]


def joined(accounts: Sequence[int]) -> str:
    return ",".join(map(str, accounts))
