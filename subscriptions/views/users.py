"""The Users tab: who of the customer's people has Contact Center, and in which role (R16)."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from accounts.actions import add_service_user
from accounts.models import ServiceUser
from accounts.pages import AccountRequest, record_form, render_page, show_refusal
from accounts.roles import Capability
from subscriptions.actions import assign_users
from subscriptions.forms import PersonForm, RolesForm
from subscriptions.models import ContactCenter
from subscriptions.views.install import contact_center_page

PAGE_SIZE = 50


@contact_center_page(Capability.SEE_SERVICES)
def users(request: AccountRequest, center: ContactCenter) -> HttpResponse:
    """The people, searched and filtered; when posted, the ticked ones get the role."""
    form = None
    if request.method == "POST":
        form = RolesForm(request.POST)
        if not form.is_valid():
            record_form(request, "assign_users", form)
        else:
            role = form.cleaned_data["role"]
            try:
                changed = assign_users(
                    request.account, dict.fromkeys(form.cleaned_data["people"], role), by=request.user
                )
            except ValidationError as refusal:
                show_refusal(form, refusal)
            else:
                messages.success(request, _what_was_done(len(changed), role))
                return redirect(request.get_full_path())
    return _users_page(request, form=form, status=422 if form else 200)


@require_POST
@contact_center_page(Capability.CHANGE_SERVICES)
def add_user(request: AccountRequest, center: ContactCenter) -> HttpResponse:
    """Put a person on the list."""
    form = PersonForm(request.POST)
    if not form.is_valid():
        record_form(request, "add_service_user", form)
    else:
        try:
            person = add_service_user(request.account, by=request.user, **form.cleaned_data)
        except ValidationError as refusal:
            show_refusal(form, refusal)
        else:
            messages.success(request, f"{person.name} is on the list. Tick the name to assign Contact Center.")
            return redirect("users", request.account.number)
    return _users_page(request, person_form=form, status=422)


def _users_page(request: AccountRequest, *, status: int = 200, **forms: Any) -> HttpResponse:
    everybody = ServiceUser.objects.filter(account=request.account)
    words = request.GET.get("q", "").replace("\x00", "").strip()[:100]
    shown = request.GET.get("show", "")
    found = everybody.matching(words)
    if shown == "with":
        found = found.with_contact_center()
    elif shown == "without":
        found = found.without_contact_center()
    context = {
        "form": RolesForm(),
        "person_form": PersonForm(),
        **{name: form for name, form in forms.items() if form is not None},
        "people": Paginator(found, PAGE_SIZE).get_page(request.GET.get("page")),
        "everybody": everybody.count(),
        "assigned": everybody.with_contact_center().count(),
        "q": words,
        "show": shown,
        "page": "contact_center",
        "tab": "users",
    }
    return render_page(request, "hostpilot/users.html", context, status=status)


def _what_was_done(count: int, role: str) -> str:
    if not count:
        return "Nothing was different: the ticked people had this role already."
    people = "1 person" if count == 1 else f"{count} people"
    return f"Contact Center was assigned to {people}." if role else f"Contact Center was taken from {people}."
