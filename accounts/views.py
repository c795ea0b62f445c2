"""The first pages after log-in: the accounts of a contact, and the overview of one."""

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from accounts.models import Account, Refusal
from accounts.pages import AccountRequest, account_page, render_page

PAGE_SIZE = 50
RECENT_REFUSALS = 5


@login_required
def home(request: HttpRequest) -> HttpResponse:
    """Go to the one account of the visitor, or let him choose; staff without an account go to the admin."""
    accounts = Account.objects.for_user(request.user).select_related("onboarding")
    page = Paginator(accounts, PAGE_SIZE).get_page(request.GET.get("page"))
    if page.paginator.count == 1:
        return redirect(page[0])
    if not page and request.user.is_staff:
        return redirect("admin:index")
    return render(request, "hostpilot/accounts.html", {"accounts": page})


@account_page()
def overview(request: AccountRequest) -> HttpResponse:
    """The account at a glance, and what was lately tried and refused."""
    refusals = Refusal.objects.filter(account=request.account).select_related("by")[:RECENT_REFUSALS]
    return render_page(request, "hostpilot/overview.html", {"refusals": refusals, "page": "home"})
