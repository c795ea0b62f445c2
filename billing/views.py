"""HostPilot's Billing pages: the current month, invoices, and toll-free usage (R18)."""

import re
from datetime import date, timedelta
from itertools import chain
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db.models import Prefetch
from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext, pgettext_lazy

from accounts.pages import AccountRequest, account_page, record_form, render_page
from accounts.roles import Capability
from billing.actions import set_billing_profile
from billing.documents.paper import invoice_paper, printed_invoices, printed_notes
from billing.documents.responses import pdf_response, xml_response
from billing.forms import BillingProfileForm
from billing.models import BillingProfile, CreditNote, Delivery, Invoice
from billing.previews.calls import as_rows, by_number, charged_calls
from billing.previews.estimate import estimate, waived_charges
from billing.previews.usage import Usage, usage_of
from billing.pricing.charges import month_after
from core.clock import database_now
from core.csv_files import csv_response, streamed_csv
from core.outbox.models import EmailState
from core.refusals import AlreadyDone, show_as_message, show_refusal
from onboarding.models import Onboarding

PAGE_SIZE = 24
CALLS_A_PAGE = 100
LARGEST_NUMBER = 2**63 - 1
COLUMNS = (
    pgettext_lazy("column of a CSV file", "account"),
    pgettext_lazy("column of a CSV file", "company"),
    pgettext_lazy("column of a CSV file", "day"),
    pgettext_lazy("column of a CSV file", "toll_free_minutes"),
)
CALL_COLUMNS = (
    pgettext_lazy("column of a CSV file", "day"),
    pgettext_lazy("column of a CSV file", "started_at"),
    pgettext_lazy("column of a CSV file", "number"),
    pgettext_lazy("column of a CSV file", "caller"),
    pgettext_lazy("column of a CSV file", "seconds"),
    pgettext_lazy("column of a CSV file", "minutes"),
)


@account_page(Capability.SEE_BILLING)
def running_month(request: AccountRequest) -> HttpResponse:
    """The estimate of the current month, and the charges that onboarding has waived."""
    now = database_now()
    account = request.account
    has_center = Onboarding.objects.filter(account=account).exists()
    context = {
        "has_center": has_center,
        "estimate": estimate(account, now) if has_center else None,
        "waived": waived_charges(account, now) if has_center else None,
        "latest": Invoice.objects.filter(account=account).newest_first().first(),
    }
    return _billing_page(request, "hostpilot/billing.html", "billing", context)


@account_page(Capability.SEE_BILLING)
def invoices(request: AccountRequest) -> HttpResponse:
    """The account's invoices, the newest first."""
    mine = Invoice.objects.filter(account=request.account).newest_first()
    context = {"invoices": Paginator(mine, PAGE_SIZE).get_page(request.GET.get("page"))}
    return _billing_page(request, "hostpilot/invoices.html", "invoices", context)


@account_page(Capability.SEE_BILLING)
def invoice_page(request: AccountRequest, invoice: int) -> HttpResponse:
    """One invoice as it was issued, and its credit notes."""
    found = _invoice(request, invoice)
    sent = Delivery.objects.filter(email__state=EmailState.SENT).select_related("email", "to")
    notes = printed_notes(found.credit_notes.order_by("number")).prefetch_related(Prefetch("deliveries", sent))
    context = {"invoice": found, "paper": invoice_paper(found), "notes": notes, "sent": sent.filter(invoice=found)}
    return _billing_page(request, "hostpilot/invoice.html", "invoices", context)


@account_page(Capability.SEE_BILLING)
def invoice_pdf(request: AccountRequest, invoice: int) -> HttpResponse:
    """The invoice as a PDF."""
    return pdf_response(_invoice(request, invoice))


@account_page(Capability.SEE_BILLING)
def invoice_xml(request: AccountRequest, invoice: int) -> HttpResponse:
    """The invoice for machines (R40), where the document has one."""
    return xml_response(_invoice(request, invoice))


@account_page(Capability.SEE_BILLING)
def credit_note_pdf(request: AccountRequest, note: int) -> HttpResponse:
    """The credit note as a PDF."""
    return pdf_response(_credit_note(request, note))


@account_page(Capability.SEE_BILLING)
def credit_note_xml(request: AccountRequest, note: int) -> HttpResponse:
    """The credit note for machines (R40), where the document has one."""
    return xml_response(_credit_note(request, note))


@account_page(Capability.SEE_BILLING, verb="set_billing_profile")
def billing_profile(request: AccountRequest) -> HttpResponse:
    """Whom invoices are addressed to; on POST, change it."""
    account = request.account
    current = BillingProfile.objects.of(account)
    posted = request.POST if request.method == "POST" else None
    form = BillingProfileForm(posted, current=current, company=account.company)
    if posted is not None and not form.is_valid():
        record_form(request, form)
    elif posted is not None:
        try:
            set_billing_profile(account, form.instance, by=request.user, seen=form.cleaned_data["seen"])
        except AlreadyDone as answer:
            show_as_message(request, answer)
            return redirect("billing_profile", account.number)
        except ValidationError as refusal:
            show_refusal(form, refusal)
            form.accept_current(BillingProfile.objects.of(account))
        else:
            messages.success(request, gettext("The billing profile was saved. New invoices are addressed to it."))
            return redirect("billing_profile", account.number)
    context = {"form": form, "profile": current}
    status = 422 if form.errors else 200
    return _billing_page(request, "hostpilot/billing_profile.html", "profile", context, status=status)


@account_page(Capability.SEE_BILLING)
def usage(request: AccountRequest) -> HttpResponse:
    """Toll-free minutes of each day of a month, in a chart and a table."""
    context = {"usage": _usage(request)}
    return _billing_page(request, "hostpilot/usage.html", "usage", context)


@account_page(Capability.SEE_BILLING)
def usage_csv(request: AccountRequest) -> HttpResponse:
    """The same days as CSV."""
    shown = _usage(request)
    name = f"toll-free-{request.account.number}-{shown.month:%Y-%m}.csv"
    days = ([request.account.number, request.account.company, day.day.isoformat(), day.minutes] for day in shown.days)
    return csv_response(name, [[str(column) for column in COLUMNS], *days])


@account_page(Capability.SEE_BILLING)
def day_calls(request: AccountRequest, day: str) -> HttpResponse:
    """The calls of a day, in sum by number and one by one, so that customers can check the minutes."""
    on = _day(day)
    calls = charged_calls(request.account, on, on + timedelta(days=1))
    numbers = by_number(calls)
    context = {
        "day": on,
        "numbers": numbers,
        "minutes": sum(number.minutes for number in numbers),
        "calls": Paginator(calls, CALLS_A_PAGE).get_page(request.GET.get("page")),
    }
    return _billing_page(request, "hostpilot/day_calls.html", "usage", context)


@account_page(Capability.SEE_BILLING)
def calls_csv(request: AccountRequest) -> StreamingHttpResponse:
    """Every call of a month as CSV."""
    account = request.account
    month = _month(request.GET.get("month", ""), account.day_of(database_now()))
    calls = charged_calls(account, month, month_after(month))
    name = f"calls-{account.number}-{month:%Y-%m}.csv"
    return streamed_csv(name, chain([[str(column) for column in CALL_COLUMNS]], as_rows(account, calls)))


def _day(text: str) -> date:
    """Return the day of a text like `2026-10-05`. Raises Http404 if it is none."""
    if not re.fullmatch(r"[12][0-9]{3}-[0-9]{2}-[0-9]{2}", text):
        raise Http404
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Http404 from None


def _usage(request: AccountRequest) -> Usage:
    today = request.account.day_of(database_now())
    return usage_of(request.account, _month(request.GET.get("month", ""), today), today)


def _month(text: str, today: date) -> date:
    """Return the month of a text like `2026-10`, or the current month if it is not a month or in the future."""
    found = re.fullmatch(r"([0-9]{4})-(0[1-9]|1[0-2])", text)
    month = date(int(found[1]), int(found[2]), 1) if found and found[1] > "1999" else today.replace(day=1)
    return month if month < month_after(today.replace(day=1)) else today.replace(day=1)


def _invoice(request: AccountRequest, number: int) -> Invoice:
    mine = printed_invoices(Invoice.objects.filter(account=request.account))
    return get_object_or_404(mine, number=min(number, LARGEST_NUMBER))


def _credit_note(request: AccountRequest, number: int) -> CreditNote:
    mine = printed_notes(CreditNote.objects.filter(invoice__account=request.account))
    return get_object_or_404(mine, number=min(number, LARGEST_NUMBER))


def _billing_page(
    request: AccountRequest, template: str, tab: str, context: dict[str, Any], *, status: int = 200
) -> HttpResponse:
    return render_page(request, template, {"page": "billing", "tab": tab, **context}, status=status)
