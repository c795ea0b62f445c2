"""The page on which a file of calls is uploaded, previewed and imported."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from unfold.widgets import (
    UnfoldAdminFileFieldWidget,
    UnfoldAdminSelect2Widget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanWidget,
)

from accounts.admin.customers import zone_choices
from accounts.models import User
from accounts.roles import is_staff_with, staff_of
from billing.actions import save_mapping
from billing.calls.cells import Unreadable
from billing.calls.importing import PERMISSION, TAKE_VOIDED, import_calls
from billing.calls.mapping import ANSWERED, LONGEST_COLUMN, NEEDED, ROLES, mapping_of
from billing.calls.mapping_names import check_name
from billing.calls.outcome import Outcome, fates_text, known_text, nothing_text, outcome_of
from billing.calls.preview import PreviewedRow, preview_calls
from billing.models import CallImport, CallMapping, Layout
from core.refusals import show_refusal

RETRY_AFTER_SECONDS = 30
AUTO = [("", "Detect automatically")]
FIELD_OF = {
    "no_zone": "zone",
    "unknown_timezone": "zone",
    "bad_mapping": "map_call_id",
    "bad_name": "save_as",
    "name_taken": "save_as",
}
LABELS = {
    "call_id": "Id of the call",
    "to": "Called number",
    "from": "Caller",
    "started_at": "Start",
    "seconds": "Seconds",
    "leg": "Leg or sequence",
    ANSWERED: "Answered",
}
HINTS = {
    "leg": "If the file has several records of one call.",
    ANSWERED: "The column and its values for answered calls, like Result:Answered|Completed. Empty: every row counts.",
}
HEADERS = ["Line", "What it is", "Call", "Leg", "Called number", "Caller", "Start", "Seconds", "Row"]


class UploadForm(forms.Form):
    """A file of calls, and how to read it: detected automatically, by a saved mapping, or by the columns named here."""

    file = forms.FileField(
        widget=UnfoldAdminFileFieldWidget,
        help_text="CSV, compressed or not. A call that is there already is not taken twice.",
        error_messages={"required": "Choose a file.", "empty": "The file is empty."},
    )
    layout = forms.ChoiceField(
        choices=[*AUTO, *((value, label) for value, label in Layout.choices if value != Layout.MAPPING)],
        required=False,
        widget=UnfoldAdminSelectWidget,
    )
    zone = forms.ChoiceField(
        label="Time zone",
        choices=lambda: [("", "–"), *zone_choices()],
        required=False,
        widget=UnfoldAdminSelect2Widget,
        help_text="The zone of times without an offset, like Asterisk's.",
    )
    use_map = forms.ModelChoiceField(
        label="Saved mapping",
        queryset=CallMapping.objects.all(),
        required=False,
        empty_label="–",
        widget=UnfoldAdminSelectWidget,
        help_text="Which column is what in the files of another system, as it was saved.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for role in (*ROLES, ANSWERED):
            self.fields[f"map_{role}"] = forms.CharField(
                label=LABELS[role],
                required=False,
                max_length=LONGEST_COLUMN,
                widget=UnfoldAdminTextInputWidget,
                help_text=HINTS.get(role, "The column's name or number." if role in NEEDED else ""),
            )
        self.fields["save_as"] = forms.CharField(
            label="Save these columns as",
            required=False,
            max_length=100,
            widget=UnfoldAdminTextInputWidget,
            help_text="A name under which they can be used for the next file.",
        )

    @property
    def columns(self) -> list[forms.BoundField]:
        """The fields that name the columns."""
        return [self[f"map_{role}"] for role in (*ROLES, ANSWERED)]

    @property
    def names_columns(self) -> bool:
        """Whether columns are named, so that the page must show these fields."""
        return any(field.value() or field.errors for field in (*self.columns, self["save_as"]))

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        typed = {role: data.get(f"map_{role}", "").strip() for role in (*ROLES, ANSWERED)}
        typed = {role: column for role, column in typed.items() if column}
        saved: CallMapping | None = data.get("use_map")
        data["mapping"], data["typed"] = (saved.columns if saved else typed) or None, typed
        if saved and typed:
            self.add_error("use_map", ValidationError("Choose a saved mapping or name columns, not both.", code="both"))
        if data["mapping"] and data.get("layout"):
            refusal = "A mapping says what the columns are. Choose “Detect automatically” with it."
            self.add_error("layout", ValidationError(refusal, code="both"))
        if saved:
            data["zone"] = data.get("zone") or saved.zone
        if data.get("save_as") and not typed:
            self.add_error("save_as", ValidationError("Name the columns that are to be saved.", code="no_columns"))
        elif data.get("save_as"):
            self.refused(lambda: check_name(data["save_as"], typed, zone=data.get("zone") or ""))
        if typed:
            try:
                mapping_of(typed)
            except Unreadable as why:
                self.add_error("map_call_id", ValidationError(str(why), code=why.code))
        return data

    def refused(self, do: Callable[[], Any]) -> Any:
        """Return the result of `do`, or None if it raised ValidationError, which is added to the form's errors.

        If a lock was not granted, and so nothing was written, the database's error is raised instead, so that the page
        is answered like any other that meets a lock.
        """
        busy: BaseException | None = None
        try:
            return do()
        except ValidationError as refusal:
            busy = refusal.__cause__ if refusal.code == "busy" else None
            if busy is None:
                show_refusal(self, refusal, at=FIELD_OF.get(refusal.code or "", "file"))
        if busy:
            raise busy
        return None

    @property
    def options(self) -> dict[str, Any]:
        """How to read the file, as keyword arguments of `import_calls`."""
        data = self.cleaned_data
        return {"layout": data["layout"] or None, "zone": data["zone"] or None, "mapping": data["mapping"]}

    take_voided = forms.BooleanField(
        label="Take voided and dismissed rows too",
        required=False,
        widget=UnfoldBooleanWidget,
        help_text="Otherwise a row stays out if its content was voided or dismissed, however often its file comes.",
    )


def upload_page(model_admin: Any, request: HttpRequest) -> HttpResponse:
    """Show the form, preview the first rows of the file, or import the file and redirect to the import's page.

    All of it needs the permission to import. A file without a readable row is an error in the form. Large files are
    read block by block from the disk, where Django stores them.
    """
    by = staff_of(request, PERMISSION)
    form = UploadForm(request.POST, request.FILES) if request.method == "POST" else UploadForm()
    preview = None
    if not is_staff_with(by, TAKE_VOIDED):
        del form.fields["take_voided"]
    if form.is_valid():
        if "preview" in request.POST:
            preview = form.refused(lambda: _preview(form, by))
        elif received := form.refused(lambda: _import(form, by)):
            _tell(request, received)
            return HttpResponseRedirect(reverse("admin:billing_callimport_change", args=[received.pk]))
    is_partly_in = form.has_error("file", "busy_partly")
    return TemplateResponse(
        request,
        "admin/billing/callimport/upload.html",
        {
            **model_admin.admin_site.each_context(request),
            "title": "Import calls",
            "opts": CallImport._meta,
            "form": form,
            "preview": preview,
            "in_new_tab": {"formtarget": "_blank"},  # so that the form keeps its file; browsers never restore one
            "back": reverse("admin:billing_callimport_changelist"),
        },
        status=503 if is_partly_in else 200,
        headers={"Retry-After": str(RETRY_AFTER_SECONDS)} if is_partly_in else None,
    )


def _preview(form: UploadForm, by: User) -> dict[str, Any]:
    """Return the layout and the first rows of the file, as data for the admin's table component."""
    layout, rows = preview_calls(form.cleaned_data["file"], by=by, **form.options)
    return {"layout": Layout(layout).label, "table": {"headers": HEADERS, "rows": [_cells(row) for row in rows]}}


def _cells(row: PreviewedRow) -> list[Any]:
    return [row.line, row.told, *(row.call or [""] * 6), "" if row.call else row.text]  # a call shows its cells


def _import(form: UploadForm, by: User) -> CallImport:
    """Import the file and return the import; also save the columns if a name was given for them."""
    data = form.cleaned_data
    received = import_calls(
        data["file"], name=data["file"].name, by=by, take_voided=data.get("take_voided", False), **form.options
    )
    if data["save_as"]:
        save_mapping(data["save_as"], data["typed"], by=by, zone=data["zone"] or "")
    return received


def _tell(request: HttpRequest, received: CallImport) -> None:
    """Report the outcome of the import as messages. Only if calls were added is it a success message."""
    outcome = outcome_of(received)
    if outcome == Outcome.KNOWN:
        messages.info(request, f"“{received}” has nothing new: {known_text(received)}.")
    elif outcome == Outcome.NOTHING:
        messages.error(request, f"“{received}”: {nothing_text(received)}")
    else:
        new = "1 call is new" if received.added == 1 else f"{received.added:,} calls are new"
        messages.success(request, f"“{received}” was imported: {new}. Its rows: {fates_text(received)}.")
    if received.rejected:
        rows = "1 row was" if received.rejected == 1 else f"{received.rejected:,} rows were"
        messages.warning(request, f"{rows} rejected. “Rejects as CSV” has them, to be corrected and imported.")
    if received.set_aside:
        records = "1 record was" if received.set_aside == 1 else f"{received.set_aside:,} records were"
        messages.warning(request, f"{records} set aside: take or dismiss them under “Records set aside”.")
