"""The common base of customers' pages: each belongs to an account, and checks that the visitor's role may see it."""

import functools
from collections.abc import Callable
from typing import Any, TypeVar

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied, ValidationError
from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext_lazy as _

from accounts.acting import record_refusals
from accounts.models import Account, User
from accounts.roles import Capability, capabilities_of
from accounts.verbs import OPEN_PAGE
from core.verbs import stands_for

R = TypeVar("R", bound=HttpResponseBase)


class AccountRequest(HttpRequest):
    """A request for an account's page, with the account, the visitor's capabilities on it, and the page's verb."""

    user: User
    account: Account
    capabilities: frozenset[Capability]
    verb: str


def account_page(
    capability: Capability | None = None, *, verb: str = OPEN_PAGE
) -> Callable[[Callable[..., R]], Callable[..., R]]:
    """Decorate `view(request, …)`, so that it becomes the view of a URL with the account's `number`.

    A visitor who is not logged in is redirected to the login page. The response is 404 if the account is not theirs
    (I15), and 403 if their role doesn't have the capability; if `capability` is None, any contact of the account may
    see the page. Refusals of POST requests are recorded under `verb`, the name of the page's action.
    """

    def decorate(view: Callable[..., R]) -> Callable[..., R]:
        @stands_for(verb)
        @login_required
        @functools.wraps(view)
        def page(request: AccountRequest, number: str, **kwargs: Any) -> R:
            mine = Account.objects.for_user(request.user).select_related("onboarding")
            request.account = get_object_or_404(mine, number=number)
            request.capabilities = capabilities_of(request.user, request.account)
            request.verb = verb
            if capability and capability not in request.capabilities:
                denial = ValidationError(
                    _("Your role on this account does not let you %(capability)s."),
                    code="permission_denied",
                    params={"capability": capability.in_words},
                )
                if request.method == "POST":
                    record_refusals(request.account, request.user, verb, denial)
                raise PermissionDenied(denial.messages[0])
            return view(request, **kwargs)

        return page

    return decorate


def render_page(request: AccountRequest, template: str, context: dict[str, Any], *, status: int = 200) -> HttpResponse:
    """Return the page of an account. The template also gets the account and what the visitor may do on it."""
    may = request.capabilities
    shared = {
        "account": request.account,
        "may_see_services": Capability.SEE_SERVICES in may,
        "may_see_billing": Capability.SEE_BILLING in may,
        "may_see_audit_log": Capability.SEE_AUDIT_LOG in may,
        "may_change_services": Capability.CHANGE_SERVICES in may,
        "may_change_billing_profile": Capability.CHANGE_BILLING_PROFILE in may,
    }
    return render(request, template, {**shared, **context}, status=status)


def record_form(request: AccountRequest, form: BaseForm) -> None:
    """Record the errors of a form under the page's verb, like refusals of the action."""
    if form.errors:
        record_refusals(request.account, request.user, request.verb, ValidationError(form.errors.as_data()))
