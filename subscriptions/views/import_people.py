"""Importing people from a file: first a preview, then the import (R16)."""

from dataclasses import astuple
from typing import Any
from uuid import UUID, uuid4

from django.contrib import messages
from django.core import signing
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext, ngettext
from django.views.decorators.http import require_POST

from accounts.pages import AccountRequest, record_form, render_page
from accounts.roles import Capability
from core.refusals import AlreadyDone, show_as_message
from subscriptions.actions import import_people, propose_people
from subscriptions.forms import ImportForm
from subscriptions.models import ContactCenter
from subscriptions.people_file import MOST_PEOPLE, LeftOut, PeopleFile, Person
from subscriptions.views.install import contact_center_page

SALT = "people-import"
HOW_LONG = 24 * 60 * 60
SHOWN_AT_ONCE = 20


@contact_center_page(Capability.CHANGE_SERVICES, verb="import_people")
def import_page(request: AccountRequest, center: ContactCenter) -> HttpResponse:
    """Show the form to choose a file; on POST, show the preview, or the form again with the errors."""
    form = ImportForm(request.POST, request.FILES) if request.method == "POST" else ImportForm()
    if request.method == "POST":
        if form.is_valid():
            return _preview(request, propose_people(request.account, form.cleaned_data["file"], by=request.user))
        record_form(request, form)
    context = {"form": form, "most": MOST_PEOPLE, "page": "contact_center", "tab": "users"}
    return render_page(request, "hostpilot/users_import.html", context, status=422 if form.errors else 200)


@require_POST
@contact_center_page(Capability.CHANGE_SERVICES, verb="import_people")
def confirm_import(request: AccountRequest, center: ContactCenter) -> HttpResponse:
    """Import what the preview showed; if it is stale, show it again as it is now. A repeated POST adds nobody."""
    token = _read(request)
    if token is None:
        messages.error(
            request, gettext("This preview has expired or was damaged. Nobody was added; choose the file again.")
        )
        return redirect("import_users", request.account.number)
    file, key = token
    try:
        added = import_people(request.account, file.people, key=key, by=request.user)
    except AlreadyDone as answer:
        show_as_message(request, answer)
    except ValidationError as refusal:
        current = propose_people(request.account, file, by=request.user)
        return _preview(request, current, problem=refusal.messages[0], status=409)
    else:
        done = ngettext("%(count)s person is on the list now.", "%(count)s people are on the list now.", len(added))
        messages.success(request, done % {"count": f"{len(added):,}"})
    return redirect("users", request.account.number)


def _preview(request: AccountRequest, file: PeopleFile, *, problem: str = "", status: int = 200) -> HttpResponse:
    token = {
        "account": request.account.pk,
        "user": request.user.pk,
        "key": str(uuid4()),
        "people": [astuple(person) for person in file.people],
        "left_out": [astuple(row) for row in file.left_out],
        "ignored": file.ignored,
    }
    context: dict[str, Any] = {
        "file": file,
        "with_role": sum(1 for person in file.people if person.role),
        "first_people": file.people[:SHOWN_AT_ONCE],
        "more_people": file.people[SHOWN_AT_ONCE:],
        "first_left_out": file.left_out[:SHOWN_AT_ONCE],
        "more_left_out": file.left_out[SHOWN_AT_ONCE:],
        "token": signing.dumps(token, salt=SALT, compress=True),
        "problem": problem,
        "page": "contact_center",
        "tab": "users",
    }
    return render_page(request, "hostpilot/users_import_preview.html", context, status=status)


def _read(request: AccountRequest) -> tuple[PeopleFile, UUID] | None:
    """Return the file and the key in the posted token, or None if it isn't valid for this account and user."""
    try:
        token = signing.loads(request.POST.get("token", ""), salt=SALT, max_age=HOW_LONG)
    except signing.BadSignature:
        return None
    if (token["account"], token["user"]) != (request.account.pk, request.user.pk):
        return None
    people = [Person(*fields) for fields in token["people"]]
    left_out = [LeftOut(*fields) for fields in token["left_out"]]
    return PeopleFile(people, left_out, token["ignored"]), UUID(token["key"])
