"""The page on which a file of calls is uploaded and imported."""

import zoneinfo
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from unfold.widgets import UnfoldAdminFileFieldWidget, UnfoldAdminSelectWidget, UnfoldBooleanWidget

from accounts.models import User
from billing.calls.importing import PERMISSION, TAKE_VOIDED, import_calls
from billing.models import CallImport, Layout

AUTO = [("", "Told by the first line")]
FIELD_OF = {"no_zone": "zone", "unknown_timezone": "zone"}


class UploadForm(forms.Form):
    """A file of calls, and how to read it."""

    file = forms.FileField(
        widget=UnfoldAdminFileFieldWidget,
        help_text="CSV, gzipped or not. A call that is there already is not taken twice.",
        error_messages={"required": "Choose a file.", "empty": "The file is empty."},
    )
    layout = forms.ChoiceField(choices=[*AUTO, *Layout.choices], required=False, widget=UnfoldAdminSelectWidget)
    zone = forms.ChoiceField(
        label="Time zone",
        choices=lambda: [("", "–"), *((name, name) for name in sorted(zoneinfo.available_timezones()))],
        required=False,
        widget=UnfoldAdminSelectWidget,
        help_text="The zone of Asterisk's times; our own layout has an offset in each.",
    )

    take_voided = forms.BooleanField(
        label="Take voided and dismissed rows too",
        required=False,
        widget=UnfoldBooleanWidget,
        help_text="Otherwise a row stays out if its content was voided or dismissed, however often its file comes.",
    )


def upload_page(model_admin: Any, request: HttpRequest) -> HttpResponse:
    """Show the form, or import the file it was posted with and go to the import's page.

    Needs the permission to import for both. A file of which no row can be read is refused in the form. Large files are
    read from the disk, where Django puts them, block by block.
    """
    if not isinstance(request.user, User) or not request.user.has_perm(PERMISSION):
        raise PermissionDenied
    form = UploadForm(request.POST, request.FILES) if request.method == "POST" else UploadForm()
    if not request.user.has_perm(TAKE_VOIDED):
        del form.fields["take_voided"]
    if form.is_valid():
        received = _import(form, request.user)
        if received is not None:
            _tell(request, received)
            return HttpResponseRedirect(reverse("admin:billing_callimport_change", args=[received.pk]))
    return TemplateResponse(
        request,
        "admin/billing/callimport/upload.html",
        {
            **model_admin.admin_site.each_context(request),
            "title": "Import calls",
            "opts": CallImport._meta,
            "form": form,
            "back": reverse("admin:billing_callimport_changelist"),
        },
    )


def _import(form: UploadForm, by: User) -> CallImport | None:
    """Return the import, or None where the file was refused and the form says why."""
    file = form.cleaned_data["file"]
    try:
        return import_calls(
            file,
            name=file.name,
            layout=form.cleaned_data["layout"] or None,
            by=by,
            zone=form.cleaned_data["zone"] or None,
            take_voided=form.cleaned_data.get("take_voided", False),
        )
    except ValidationError as refusal:
        form.add_error(FIELD_OF.get(refusal.code or "", "file"), refusal)
        return None


def _tell(request: HttpRequest, received: CallImport) -> None:
    new = "1 call is new" if received.added == 1 else f"{received.added:,} calls are new"
    messages.success(request, f"“{received}” was imported: {new}.")
    if received.rejected:
        rows = "1 row was" if received.rejected == 1 else f"{received.rejected:,} rows were"
        messages.warning(request, f"{rows} rejected. “Rejects as CSV” has them, to be corrected and imported.")
    if received.set_aside:
        records = "1 record was" if received.set_aside == 1 else f"{received.set_aside:,} records were"
        messages.warning(request, f"{records} set aside: take or dismiss them under “Records set aside”.")
