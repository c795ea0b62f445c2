"""The Subscription tab: one form, then a confirmation page, then the purchase (R15)."""

from typing import Any
from uuid import UUID, uuid4

from django.contrib import messages
from django.core import signing
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext
from django.views.decorators.http import require_POST

from accounts.pages import AccountRequest, record_form, render_page
from accounts.roles import Capability
from core.clock import database_now
from core.refusals import AlreadyDone, show_as_message, show_refusal
from subscriptions.actions import Proposal, change_subscription, propose_subscription
from subscriptions.catalogue import catalogue_on, contact_center_of, held_by, in_force, waiting_package
from subscriptions.changing import Confirmation
from subscriptions.differences import differences
from subscriptions.forms import SubscriptionForm, initial_of, subscription_of
from subscriptions.models import ContactCenter
from subscriptions.rules import Subscription, subscription_refusal
from subscriptions.views.install import contact_center_page

SALT = "subscription-confirmation"
HOW_LONG = 24 * 60 * 60


@contact_center_page(Capability.SEE_SERVICES, verb="change_subscription")
def subscription(request: AccountRequest, center: ContactCenter) -> HttpResponse:
    """Show the form; on POST, show the confirmation page, or the form again with errors at its fields.

    The second button, `show_total`, only shows the new total. Errors are then shown too, but no refusal is recorded.
    """
    status = 200
    form = _form(request, center, request.POST or None)
    if "show_total" in request.POST:
        status = 200 if form.is_valid() else 422
    elif request.method == "POST":
        if not form.is_valid():
            record_form(request, form)
        else:
            try:
                proposal = propose_subscription(request.account, form.wanted(), by=request.user)
            except AlreadyDone as answer:
                show_as_message(request, answer)
                return redirect("subscription", request.account.number)
            except PermissionDenied:
                return _form_page(request, center, form, status=403)
            except ValidationError as refusal:
                show_refusal(form, refusal)
            else:
                return _confirmation_page(request, proposal)
        status = 422
    return _form_page(request, center, form, status=status)


@require_POST
@contact_center_page(Capability.SEE_SERVICES, verb="change_subscription")
def new_total(request: AccountRequest, center: ContactCenter) -> HttpResponse:
    """Return the parts of the form's page with the new total, for the script that updates them as the form changes."""
    form = _form(request, center, request.POST)
    return render_page(request, "components/new_total.html", _choice(form))


@require_POST
@contact_center_page(Capability.CHANGE_SERVICES, verb="change_subscription")
def confirm(request: AccountRequest, center: ContactCenter) -> HttpResponse:
    """Buy what the confirmation page showed; if it is stale, show the current one. A repeated POST changes nothing."""
    token = _read(request)
    if token is None:
        messages.error(request, gettext("This confirmation has expired or was damaged. Nothing was changed."))
        return redirect("subscription", request.account.number)
    wanted, confirmation = token
    if "back" in request.POST:
        form = _form(request, center, None, initial=initial_of(wanted))
        return _form_page(request, center, form)
    try:
        change_subscription(request.account, wanted, by=request.user, confirmation=confirmation)
    except AlreadyDone as answer:
        show_as_message(request, answer)
    except ValidationError as refusal:
        return _confirm_again(request, wanted, refusal)
    else:
        messages.success(request, gettext("Your subscription was changed."))
    return redirect("subscription", request.account.number)


def _confirm_again(request: AccountRequest, wanted: Subscription, refusal: ValidationError) -> HttpResponse:
    """Return the page of a refused confirmation as it is now: what would change, or the form with what prevents it."""
    center = contact_center_of(request.account)
    try:
        proposal = propose_subscription(request.account, wanted, by=request.user)
    except AlreadyDone as answer:
        show_as_message(request, answer)
        return redirect("subscription", request.account.number)
    except ValidationError as reasons:
        form = _form(request, center, initial_of(wanted))
        form.is_valid()
        show_refusal(form, reasons)
        return _form_page(request, center, form, status=422)
    return _confirmation_page(request, proposal, problem=refusal.messages[0], status=409)


def _form(request: AccountRequest, center: ContactCenter, data: Any, **initial: Any) -> SubscriptionForm:
    now = database_now()
    held, catalogue = held_by(center), catalogue_on(request.account.day_of(now))
    return SubscriptionForm(
        data, center=center, held=held, catalogue=catalogue, in_force=in_force(center, now), **initial
    )


def _form_page(
    request: AccountRequest, center: ContactCenter, form: SubscriptionForm, *, status: int = 200
) -> HttpResponse:
    choice = _choice(form)
    if form.errors:
        choice["reasons"] = []  # they are shown at the fields
    context = {
        "form": form,
        "waiting": waiting_package(center, form.in_force),
        **choice,
        "page": "contact_center",
        "tab": "subscription",
    }
    return render_page(request, "hostpilot/subscription.html", context, status=status)


def _choice(form: SubscriptionForm) -> dict[str, Any]:
    """Return the template context for the form's current choice: what it would change, or the reasons against it."""
    center, held, catalogue, chosen = form.center, form.held, form.catalogue, form.chosen()
    shown = {"center": center, "held": held, "catalogue": catalogue, "chosen": chosen, "today": form.today}
    if chosen is None:
        return {**shown, "reasons": [error for errors in form.errors.values() for error in errors]}
    refusal = subscription_refusal(
        chosen,
        held=held,
        edition=center.edition,
        catalogue=catalogue,
        onboarding=form.onboarding,
        today=form.today,
    )
    if refusal:
        return {**shown, "reasons": refusal.messages}
    changes = differences(chosen, chosen=held, in_force=form.in_force, edition=center.edition, catalogue=catalogue)
    return {**shown, "changes": list(changes)}


def _confirmation_page(
    request: AccountRequest, proposal: Proposal, *, problem: str = "", status: int = 200
) -> HttpResponse:
    token = {
        "account": request.account.pk,
        "user": request.user.pk,
        "key": str(uuid4()),
        "digest": proposal.confirmation_digest,
        "wanted": initial_of(proposal.wanted),
    }
    context = {
        "proposal": proposal,
        "token": signing.dumps(token, salt=SALT, compress=True),
        "problem": problem,
        "page": "contact_center",
        "tab": "subscription",
    }
    return render_page(request, "hostpilot/subscription_confirm.html", context, status=status)


def _read(request: AccountRequest) -> tuple[Subscription, Confirmation] | None:
    """Return what the posted token says, or None if it isn't valid for this account and user."""
    try:
        token = signing.loads(request.POST.get("token", ""), salt=SALT, max_age=HOW_LONG)
    except signing.BadSignature:
        return None
    if (token["account"], token["user"]) != (request.account.pk, request.user.pk):
        return None
    digest = token.get("digest") or token["basis"]  # as pages called it that were opened before an upgrade
    return subscription_of(token["wanted"]), Confirmation(UUID(token["key"]), digest)
