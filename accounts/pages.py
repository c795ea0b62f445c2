"""What every customer's page shares: it belongs to an account the visitor may see, in a role that may see it."""

import functools
from collections.abc import Callable
from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied, ValidationError
from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext_lazy as _

from accounts.acting import record_refusals
from accounts.models import Account, User
from accounts.roles import Capability, capabilities_of
from accounts.verbs import OPEN_PAGE
from core.verbs import stands_for

Page = Callable[..., HttpResponse]


class AccountRequest(HttpRequest):
    """A request for an account's page, with the account, what the visitor may do on it, and what posting it does."""

    user: User
    account: Account
    capabilities: frozenset[Capability]
    verb: str


def account_page(capability: Capability | None = None, *, verb: str = OPEN_PAGE) -> Callable[[Page], Page]:
    """Make a view of `view(request, …)` whose URL has the account's `number`.

    A visitor goes to log in; an account that is not theirs answers 404 (I15); a role without the capability answers
    403. With None, any contact of the account may see the page. What is refused when it is posted is recorded under the
    `verb`, the name of the action that the page stands for.
    """

    def decorate(view: Page) -> Page:
        @stands_for(verb)
        @login_required
        @functools.wraps(view)
        def page(request: AccountRequest, number: str, **kwargs: Any) -> HttpResponse:
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
    """Return the page of an account; templates find the account, and what the visitor may do, beside the context."""
    may = request.capabilities
    shared = {
        "account": request.account,
        "may_see_services": Capability.SEE_SERVICES in may,
        "may_see_billing": Capability.SEE_BILLING in may,
        "may_see_audit_log": Capability.SEE_AUDIT_LOG in may,
        "may_change_services": Capability.CHANGE_SERVICES in may,
    }
    return render(request, template, {**shared, **context}, status=status)


def record_form(request: AccountRequest, form: BaseForm) -> None:
    """Record what a form could not read, as the page's verb would have recorded what it refuses."""
    if form.errors:
        record_refusals(request.account, request.user, request.verb, ValidationError(form.errors.as_data()))
