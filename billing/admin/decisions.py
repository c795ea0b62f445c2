"""The pages on which the Billing team voids calls and decides about records set aside and rejected rows."""

from collections.abc import Callable, Sequence
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from unfold.widgets import UnfoldAdminTextareaWidget, UnfoldBooleanWidget

from accounts.roles import staff_of
from billing.calls.voiding import LONGEST_REASON, PERMISSION, Voided
from core.money import money
from core.refusals import AlreadyDone, show_as_message, show_refusal

CREDITED = "credited"


class ReasonForm(forms.Form):
    """The reason, and the confirmation that the user has seen the credit notes named on the page."""

    reason = forms.CharField(
        max_length=LONGEST_REASON,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3, "autofocus": True}),
        help_text="Kept with the decision.",
        error_messages={"required": "Enter a reason."},
    )
    confirm_credited = forms.BooleanField(
        label="I have seen the credit notes, and nothing is refunded twice",
        required=False,
        widget=UnfoldBooleanWidget,
    )


def reason_page(
    model_admin: Any,
    request: HttpRequest,
    *,
    title: str,
    says: Sequence[str],
    back: str,
    decide: Callable[..., str],
    voids: Voided | None = None,
    icon: str = "",
) -> HttpResponse:
    """Show what a decision means and ask for the reason, or if the form was posted, decide and redirect to `back`.

    Both need the permission. `decide` is called with `by` and `reason`, and for a void with `confirm_credited`; it
    returns the message that reports the outcome.
    """
    by = staff_of(request, PERMISSION)
    form = ReasonForm(request.POST if request.method == "POST" else None)
    if voids is None or not voids.notes:
        del form.fields["confirm_credited"]
    if form.is_valid():
        how: dict[str, Any] = {"by": by, "reason": form.cleaned_data["reason"]}
        if voids is not None:
            how["confirm_credited"] = form.cleaned_data.get("confirm_credited", False)
        try:
            messages.success(request, decide(**how))
        except AlreadyDone as answer:
            show_as_message(request, answer)
        except ValidationError as refusal:
            show_refusal(form, refusal)
        if not form.errors:
            return HttpResponseRedirect(back)
    return TemplateResponse(
        request,
        "admin/billing/callrecord/decide.html",
        {
            **model_admin.admin_site.each_context(request),
            "title": title,
            "opts": model_admin.opts,
            "form": form,
            "says": [*says, *(_voided(voids) if voids else [])],
            "back": back,
            "button": title,
            "icon": icon or ("block" if voids else "check"),
            "variant": "danger" if voids else "primary",
        },
    )


def _voided(voids: Voided) -> list[str]:
    """Return sentences that say what a void changes."""
    one = voids.records == 1
    told = [
        f"{voids.records:,} {'record counts' if one else 'records count'} as if never made: {voids.charged:,} charged "
        f"{'call' if voids.charged == 1 else 'calls'} with {voids.minutes:,} minutes, of {len(voids.accounts):,} "
        f"{'account' if len(voids.accounts) == 1 else 'accounts'}.",
        "Months that were billed already get the difference on the next invoice. A void is never undone; the right "
        "record can be imported afterwards.",
    ]
    for note in voids.notes.values():
        told.append(f"{note.title} credited {money(note.amount)} on {note.invoice.title}, which has these months.")
    if voids.notes:
        told.append(f"{money(voids.credited)} in total. Make sure that nothing is refunded twice.")
    return told
