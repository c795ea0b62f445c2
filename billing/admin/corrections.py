"""The pages on which the Billing team issues credit notes and decides about bills on hold."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from unfold.widgets import UnfoldAdminDecimalFieldWidget, UnfoldAdminTextareaWidget, UnfoldBooleanWidget

from accounts.models import User
from accounts.roles import staff_of
from billing.actions import issue_credit_note, reject_bill, release_bill, send_document_again
from billing.actions.send_document_again import PERMISSION as SEND
from billing.differences import open_differences
from billing.models import BillOnHold, CreditNote, Invoice
from billing.previews.estimate import bill_now
from core.money import money
from core.refusals import AlreadyDone, show_as_message, show_refusal

CREDIT = "billing.issue_creditnote"
DECIDE = "billing.decide_billonhold"
NO_AMOUNT = "Say how much is given back, like 12.50."


class CreditForm(forms.Form):
    """The amount and the reason; `creditable` is the part not yet credited that the page showed."""

    amount = forms.DecimalField(
        label="Amount, USD",
        widget=UnfoldAdminDecimalFieldWidget(attrs={"step": "0.01", "min": "0.01", "autofocus": True}),
        error_messages={"required": NO_AMOUNT, "invalid": NO_AMOUNT},
    )
    reason = forms.CharField(
        max_length=2_000,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
        help_text="The customer reads it on the invoice’s page.",
        error_messages={"required": "Say why the money is given back."},
    )
    creditable = forms.DecimalField(max_digits=12, decimal_places=2, widget=forms.HiddenInput)
    confirm_difference = forms.BooleanField(
        label="I have seen the difference, and nothing is refunded twice", required=False, widget=UnfoldBooleanWidget
    )


class DecisionForm(forms.Form):
    note = forms.CharField(
        max_length=2_000, required=False, widget=UnfoldAdminTextareaWidget(attrs={"rows": 3, "autofocus": True})
    )

    def __init__(self, *args: Any, releases: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["note"].help_text = "Kept with the decision." if releases else "Why, and what has to be corrected."
        self.fields["note"].required = not releases
        self.fields["note"].error_messages["required"] = "Say why the bill is rejected."


def credit_page(model_admin: Any, request: HttpRequest, invoice: Invoice) -> HttpResponse:
    """Show the form of a credit note, or issue the credit note if the form was posted. Both need the permission."""
    by = staff_of(request, CREDIT)
    back = reverse("admin:billing_invoice_change", args=[invoice.pk])
    posted = request.POST.copy() if request.method == "POST" else None
    form = CreditForm(posted, initial={"creditable": invoice.creditable})
    differences = open_differences(invoice)
    if not differences:
        del form.fields["confirm_difference"]
    if form.is_valid():
        values = form.cleaned_data
        try:
            note = issue_credit_note(
                invoice.account,
                invoice,
                amount=values["amount"],
                reason=values["reason"],
                seen=values["creditable"],
                confirm_difference=values.get("confirm_difference", False),
                by=by,
            )
        except ValidationError as refusal:
            show_refusal(form, refusal)
        else:
            messages.success(request, f"{note.title} gives {money(note.amount)} back on {invoice.title}.")
            return HttpResponseRedirect(back)
    if posted is not None:
        posted["creditable"] = str(invoice.creditable)  # the current one, for the next attempt
    context = {
        "invoice": invoice,
        "creditable": invoice.creditable,
        "differences": differences.items(),
        "button": "Give money back",
        "icon": "undo",
    }
    return _page(model_admin, request, "admin/billing/invoice/credit.html", "Give money back", form, back, context)


class SendForm(forms.Form):
    """The emails with the document that the page showed, so that a second click sends nothing."""

    seen = forms.IntegerField(min_value=0, widget=forms.HiddenInput)


def send_page(model_admin: Any, request: HttpRequest, document: Invoice | CreditNote) -> HttpResponse:
    """Ask whether to send a document by email again, or do it if the form was posted. Both need the permission."""
    by = staff_of(request, SEND)
    kind = "invoice" if isinstance(document, Invoice) else "creditnote"
    back = reverse(f"admin:billing_{kind}_change", args=[document.pk])
    account = document.account if isinstance(document, Invoice) else document.invoice.account
    form = SendForm(request.POST if request.method == "POST" else None, initial={"seen": document.deliveries.count()})
    if form.is_valid():
        try:
            queued = send_document_again(account, document, by=by, seen=form.cleaned_data["seen"])
        except AlreadyDone as answer:
            show_as_message(request, answer)
            return HttpResponseRedirect(back)
        except ValidationError as refusal:
            show_refusal(form, refusal)
        else:
            emails = "1 email is" if queued == 1 else f"{queued} emails are"
            messages.success(request, f"{emails} queued with {document.title}.")
            return HttpResponseRedirect(back)
    context = {"document": document, "account": account, "button": "Send again", "icon": "forward_to_inbox"}
    return _page(model_admin, request, "admin/billing/send_again.html", "Send again", form, back, context)


def decision_page(model_admin: Any, request: HttpRequest, held: BillOnHold, *, releases: bool) -> HttpResponse:
    """Show what releasing or rejecting a bill on hold means, or do it if the form was posted.

    Both need the permission.
    """
    by = staff_of(request, DECIDE)
    back = reverse("admin:billing_billonhold_change", args=[held.pk])
    form = DecisionForm(request.POST if request.method == "POST" else None, releases=releases)
    if held.is_decided:
        messages.warning(request, f"This bill was {held.get_state_display().lower()} already.")
        return HttpResponseRedirect(back)
    if form.is_valid():
        try:
            messages.success(request, _decide(held, form.cleaned_data["note"], by, releases=releases))
        except AlreadyDone as answer:
            show_as_message(request, answer)
        except ValidationError as refusal:
            show_refusal(form, refusal)
        if not form.errors:
            return HttpResponseRedirect(back)
    verb = "Release" if releases else "Reject"
    context = {
        "held": held,
        "bill": bill_now(held.account, held.month),
        "releases": releases,
        "button": f"{verb} the bill",
        "icon": "check_circle" if releases else "cancel",
        "variant": "primary" if releases else "danger",
    }
    return _page(
        model_admin, request, "admin/billing/billonhold/decide.html", f"{verb} a bill on hold", form, back, context
    )


def _decide(held: BillOnHold, note: str, by: User, *, releases: bool) -> str:
    """Release or reject the bill, and return the message that reports the outcome."""
    if not releases:
        reject_bill(held.account, held, note=note, by=by)
        return (
            f"Rejected. {held.account} is billed for {held.month:%B %Y} again once something that the bill is computed "
            "from was corrected, or when somebody runs the month."
        )
    invoice = release_bill(held.account, held, note=note, by=by)
    if invoice is None:
        return "Released. Nothing is owed for this month any more, so no invoice was issued."
    return f"Released: {invoice.title} over {money(invoice.total)} was issued."


def _page(
    model_admin: Any,
    request: HttpRequest,
    template: str,
    title: str,
    form: forms.Form,
    back: str,
    context: Mapping[str, Any],
) -> HttpResponse:
    frame = {**model_admin.admin_site.each_context(request), "title": title, "opts": model_admin.opts}
    return TemplateResponse(request, template, {**frame, "form": form, "back": back, **context})
