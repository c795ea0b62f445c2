"""The customer's pages for going live: make a go-live request, see its state, withdraw it (R17)."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext
from django.views.decorators.http import require_POST

from accounts.models import Account
from accounts.pages import AccountRequest, account_page, record_form, render_page
from accounts.roles import Capability
from core.clock import database_now
from core.refusals import show_as_message, show_refusal
from onboarding.actions import request_go_live, withdraw_go_live
from onboarding.forms import GoLiveForm
from onboarding.models import GoLiveRequest, Onboarding


@account_page(Capability.SEE_SERVICES, verb="request_go_live")
def go_live(request: AccountRequest) -> HttpResponse:
    """Show the checklist, the state of the request and the form to make one; on POST, make the request."""
    account = request.account
    if not _has_contact_center(account):
        return redirect("contact_center", account.number)
    form = GoLiveForm(request.POST or None, initial={"wanted_on": account.day_of(database_now())})
    if request.method == "POST" and not form.is_valid():
        record_form(request, form)
    elif request.method == "POST":
        try:
            request_go_live(account, by=request.user, **form.cleaned_data)
        except ValidationError as refusal:
            show_refusal(form, refusal)
        else:
            messages.success(request, gettext("The Onboarding team has your request and will be in touch."))
            return redirect("go_live", account.number)
    requests = GoLiveRequest.objects.filter(account=account)
    answered = requests.exclude(answered_at=None).first()
    context = {
        "form": form,
        "waiting": GoLiveRequest.objects.open().filter(account=account).select_related("requested_by").first(),
        "answered": answered,
        "earlier": [settled for settled in requests.settled()[:6] if settled != answered][:5],
        "page": "contact_center",
        "tab": "go_live",
    }
    return render_page(request, "hostpilot/go_live.html", context, status=422 if form.errors else 200)


@require_POST
@account_page(Capability.CHANGE_SERVICES, verb="withdraw_go_live")
def withdraw(request: AccountRequest) -> HttpResponse:
    """Withdraw the open request."""
    try:
        withdraw_go_live(request.account, by=request.user)
    except ValidationError as refusal:
        show_as_message(request, refusal)
    else:
        messages.success(request, gettext("Your request was withdrawn. You can ask again at any time."))
    return redirect("go_live", request.account.number)


def _has_contact_center(account: Account) -> bool:
    return Onboarding.objects.filter(account=account).exists()
