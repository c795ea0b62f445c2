"""The first pages after login: a contact's accounts, an account's overview, and its audit log."""

from collections.abc import Iterator
from dataclasses import replace

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import pgettext_lazy

from accounts.audit import why_refused
from accounts.events import Event, event_page, events_of, people_of
from accounts.forms import EventsForm
from accounts.models import Account, Refusal
from accounts.pages import AccountRequest, account_page, render_page
from accounts.roles import Capability
from core.csv_files import csv_response

PAGE_SIZE = 50
RECENT_REFUSALS = 5
COLUMNS = (
    pgettext_lazy("column of a CSV file", "date"),
    pgettext_lazy("column of a CSV file", "who"),
    pgettext_lazy("column of a CSV file", "kind"),
    pgettext_lazy("column of a CSV file", "action"),
    pgettext_lazy("column of a CSV file", "item"),
    pgettext_lazy("column of a CSV file", "what"),
    pgettext_lazy("column of a CSV file", "before"),
    pgettext_lazy("column of a CSV file", "after"),
    pgettext_lazy("column of a CSV file", "note"),
)


@login_required
def home(request: HttpRequest) -> HttpResponse:
    """Redirect to the user's only account, or list their accounts; staff without an account go to the admin."""
    accounts = Account.objects.for_user(request.user).select_related("onboarding")
    page = Paginator(accounts, PAGE_SIZE).get_page(request.GET.get("page"))
    if page.paginator.count == 1:
        return redirect(page[0])
    if not page and request.user.is_staff:
        return redirect("admin:index")
    return render(request, "hostpilot/accounts.html", {"accounts": page})


@account_page()
def overview(request: AccountRequest) -> HttpResponse:
    """Show an overview of the account, and the latest refusals."""
    latest = Refusal.objects.for_customers(request.account).select_related("by")[:RECENT_REFUSALS]
    refusals = [(refusal, why_refused(refusal)) for refusal in latest]
    return render_page(request, "hostpilot/overview.html", {"refusals": refusals, "page": "home"})


@account_page(Capability.SEE_AUDIT_LOG)
def audit_log(request: AccountRequest) -> HttpResponse:
    """Show what happened on the account, newest first, one page at a time (R19). Status 422 if a filter is invalid."""
    form = _events_form(request)
    page = event_page(request.account, form.wanted(), PAGE_SIZE) if form.is_valid() else None
    context = {
        "form": form,
        "events": page.events if page else [],
        "older": str(page.older) if page and page.older else "",
        "is_first": not request.GET.get("before"),
        "page": "audit_log",
    }
    return render_page(request, "hostpilot/audit_log.html", context, status=200 if page else 422)


@account_page(Capability.SEE_AUDIT_LOG)
def audit_log_csv(request: AccountRequest) -> HttpResponse:
    """Return all events that match the page's filters as CSV, with a row for each field that changed."""
    form = _events_form(request)
    if not form.is_valid():
        return audit_log(request, number=request.account.number)
    events = events_of(request.account, replace(form.wanted(), before=None))
    rows = (row for event in events for row in _csv_rows(event, request.account))
    header = [str(name) for name in COLUMNS]
    return csv_response(f"audit-log-{request.account.number}.csv", [header, *rows])


def _events_form(request: AccountRequest) -> EventsForm:
    return EventsForm(request.GET, account=request.account, people=list(people_of(request.account)))


def _csv_rows(event: Event, account: Account) -> Iterator[list[str]]:
    at = event.at.astimezone(account.zone).isoformat(" ", "seconds")
    common = [at, event.who, str(event.kind.label), event.action, event.item]
    for change in event.changes:
        yield [*common, change.label, change.before, change.after, event.note]
    if not event.changes:
        yield [*common, "", "", "", event.note]
