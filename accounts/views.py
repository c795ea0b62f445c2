"""The first pages after log-in: the accounts of a contact, and the overview of one."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from accounts.models import Account, Refusal
from accounts.pages import AccountRequest, account_page, render_page

RECENT_REFUSALS = 5


@login_required
def home(request: HttpRequest) -> HttpResponse:
    """Go to the one account of the visitor, or let him choose; staff without an account go to the admin."""
    accounts = list(Account.objects.for_user(request.user).select_related("onboarding"))
    if len(accounts) == 1:
        return redirect(accounts[0])
    if not accounts and request.user.is_staff:
        return redirect("admin:index")
    return render(request, "hostpilot/accounts.html", {"accounts": accounts})


@account_page()
def overview(request: AccountRequest) -> HttpResponse:
    """The account at a glance, and what was lately tried and refused."""
    refusals = Refusal.objects.filter(account=request.account).select_related("by")[:RECENT_REFUSALS]
    return render_page(request, "hostpilot/overview.html", {"refusals": refusals, "page": "overview"})
