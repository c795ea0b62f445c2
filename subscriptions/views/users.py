"""The Users tab: which service users have Contact Center, and in which role (R16)."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext, ngettext
from django.views.decorators.http import require_POST

from accounts.actions import add_service_user
from accounts.models import ServiceRole, ServiceUser
from accounts.models.people import ServiceUserQuerySet
from accounts.pages import AccountRequest, record_form, render_page
from accounts.roles import Capability
from core.refusals import show_refusal
from subscriptions.actions import assign_users
from subscriptions.forms import PersonForm, RolesForm
from subscriptions.models import ContactCenter
from subscriptions.views.install import contact_center_page

PAGE_SIZE = 50
LONGEST_SEARCH = 100


@contact_center_page(Capability.SEE_SERVICES, verb="assign_users")
def users(request: AccountRequest, center: ContactCenter) -> HttpResponse:
    """Show the service users, searched and filtered; on POST, set the roles that were chosen for them."""
    if request.method != "POST":
        return _users_page(request)
    form = RolesForm(request.POST, found=_found(request))
    if not form.is_valid():
        record_form(request, form)
    else:
        try:
            changed = assign_users(request.account, form.roles, by=request.user)
        except ValidationError as refusal:
            show_refusal(form, refusal)
        else:
            messages.success(request, _what_was_done(changed))
            return redirect(request.get_full_path())
    return _users_page(request, form=form, status=422)


@require_POST
@contact_center_page(Capability.CHANGE_SERVICES, verb="add_service_user")
def add_user(request: AccountRequest, center: ContactCenter) -> HttpResponse:
    """Add a service user."""
    form = PersonForm(request.POST)
    if not form.is_valid():
        record_form(request, form)
    else:
        try:
            person = add_service_user(request.account, by=request.user, **form.cleaned_data)
        except ValidationError as refusal:
            show_refusal(form, refusal)
        else:
            messages.success(
                request,
                gettext("%(name)s is on the list. Tick the name to assign Contact Center.") % {"name": person.name},
            )
            query = request.META["QUERY_STRING"]
            return redirect(reverse("users", args=[request.account.number]) + (f"?{query}" if query else ""))
    return _users_page(request, person_form=form, status=422)


def _everybody(request: AccountRequest) -> ServiceUserQuerySet:
    return ServiceUser.objects.filter(account=request.account)


def _words(request: AccountRequest) -> str:
    return request.GET.get("q", "").replace("\x00", "").strip()[:LONGEST_SEARCH]


def _found(request: AccountRequest) -> ServiceUserQuerySet:
    """Return the service users that match the search and the filter of the URL."""
    found, shown = _everybody(request).matching(_words(request)), request.GET.get("show", "")
    if shown == "with":
        return found.with_contact_center()
    if shown == "without":
        return found.without_contact_center()
    return found.in_role(shown) if shown in ServiceRole.values else found


def _users_page(
    request: AccountRequest, *, form: RolesForm | None = None, person_form: PersonForm | None = None, status: int = 200
) -> HttpResponse:
    found, everybody = _found(request), _everybody(request)
    roles_form = form or RolesForm(found=found)
    context: dict[str, Any] = {
        "form": roles_form,
        "ticked": roles_form.ticked,
        "person_form": person_form or PersonForm(),
        "people": Paginator(found, PAGE_SIZE).get_page(request.GET.get("page")),
        "everybody": everybody.count(),
        "assigned": everybody.with_contact_center().count(),
        "roles": ServiceRole.choices,
        "q": _words(request),
        "show": request.GET.get("show", ""),
        "page": "contact_center",
        "tab": "users",
    }
    return render_page(request, "hostpilot/users.html", context, status=status)


def _what_was_done(changed: list[ServiceUser]) -> str:
    if not changed:
        return gettext("Nothing was different: the ticked people had this role already.")
    count = len(changed)
    assigned = {bool(person.contact_center_role) for person in changed}
    if assigned == {True}:
        words = ngettext(
            "Contact Center was assigned to %(count)s person.",
            "Contact Center was assigned to %(count)s people.",
            count,
        )
    elif assigned == {False}:
        words = ngettext(
            "Contact Center was taken from %(count)s person.", "Contact Center was taken from %(count)s people.", count
        )
    else:
        words = ngettext(
            "The roles of %(count)s person were changed.", "The roles of %(count)s people were changed.", count
        )
    return words % {"count": f"{count:,}"}
