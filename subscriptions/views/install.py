"""Services › Contact Center: the overview, and the page to install it if the account has none (R14)."""

import functools
from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext

from accounts.pages import AccountRequest, account_page, record_form, render_page
from accounts.roles import Capability
from accounts.verbs import OPEN_PAGE
from core.clock import database_now
from core.refusals import show_refusal
from onboarding.rules import SEAT_LIMIT
from subscriptions.actions import install
from subscriptions.catalogue import catalogue_on, contact_center_of
from subscriptions.forms import InstallForm
from subscriptions.models import ContactCenter, ItemKind

Page = Callable[..., HttpResponse]


def contact_center_page(capability: Capability, *, verb: str = OPEN_PAGE) -> Callable[[Page], Page]:
    """Decorate `view(request, center)`. Without Contact Center, the account is redirected to the install page."""

    def decorate(view: Page) -> Page:
        @account_page(capability, verb=verb)
        @functools.wraps(view)
        def page(request: AccountRequest, **kwargs: Any) -> HttpResponse:
            try:
                center = contact_center_of(request.account)
            except ValidationError:
                return redirect("install", request.account.number)
            return view(request, center, **kwargs)

        return page

    return decorate


@contact_center_page(Capability.SEE_SERVICES)
def contact_center(request: AccountRequest, center: ContactCenter) -> HttpResponse:
    """Show the Overview tab: what is held, what it costs, the steps left before going live, and recent events."""
    context = {"center": center, "now": database_now(), "page": "contact_center", "tab": "overview"}
    return render_page(request, "hostpilot/contact_center.html", context)


@account_page(Capability.SEE_SERVICES, verb="install")
def install_page(request: AccountRequest) -> HttpResponse:
    """Show the form to choose an edition, and install it on POST; viewers only see that nothing is installed yet."""
    account = request.account
    if ContactCenter.objects.filter(account=account).exists():
        return redirect("subscription", account.number)
    today = account.day_of(database_now())
    editions = [
        item for item in catalogue_on(today).values() if item.kind == ItemKind.PRODUCT and item.is_on_sale(today)
    ]
    form = InstallForm(request.POST or None, editions=editions)
    if request.method == "POST" and not form.is_valid():
        record_form(request, form)
    elif request.method == "POST":
        try:
            install(account, edition=form.cleaned_data["edition"], by=request.user)
        except ValidationError as refusal:
            show_refusal(form, refusal)
        else:
            messages.success(request, gettext("Contact Center is installed. Your account is in onboarding mode now."))
            return redirect("subscription", account.number)
    context = {"form": form, "page": "contact_center", "seat_limit": SEAT_LIMIT}
    return render_page(request, "hostpilot/install.html", context, status=422 if form.errors else 200)
