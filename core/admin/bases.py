"""What every page of the admin has in common: history that is only read, refusals in words, rows that are kept."""

from collections.abc import Iterable
from contextlib import nullcontext
from datetime import datetime
from itertools import pairwise
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.utils import flatten_fieldsets, unquote
from django.contrib.admin.views.main import ERROR_FLAG
from django.core.exceptions import NON_FIELD_ERRORS, PermissionDenied, ValidationError
from django.db import DataError, IntegrityError, models, transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.formats import localize
from django.utils.timezone import localtime
from simple_history.admin import SimpleHistoryAdmin
from simple_history.models import ModelChange, ModelDelta
from unfold.admin import ModelAdmin, TabularInline
from unfold.views import ChangeList

from core.guards import sentence_of

NO_WORDS = "The database refused this, so nothing was saved: somebody else may have saved the same at this moment."


class FullCheckForm(forms.ModelForm):
    """A form of the admin that checks the constraints of the whole row, not only of the fields it shows.

    Django leaves out each constraint that mentions a field the form doesn't have, like a read-only one, so that the
    database refuses what the form let pass. A reason at such a field is shown above the form.
    """

    def _post_clean(self) -> None:
        super()._post_clean()  # type: ignore[misc]
        if self.errors:
            return
        left_out: set[str] = super()._get_validation_exclusions()  # type: ignore[misc]
        try:
            self.instance.validate_constraints(exclude=left_out & self.fields.keys())
        except ValidationError as refusal:
            self._update_errors(refusal)

    def _update_errors(self, errors: ValidationError) -> None:
        if hasattr(errors, "error_dict"):
            for field in errors.error_dict.keys() - self.fields.keys() - {NON_FIELD_ERRORS}:
                errors.error_dict.setdefault(NON_FIELD_ERRORS, []).extend(errors.error_dict.pop(field))
        super()._update_errors(errors)  # type: ignore[misc]


class BaseChangeList(ChangeList):
    """A list that offers to show all of it only where something is left out."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        if not self.has_active_filters and not self.query:
            self.full_result_count = self.result_count


class BaseAdmin(ModelAdmin):
    """Answers junk and what the database refuses in words, never with an error page; its rows are kept."""

    form = FullCheckForm
    view_on_site = False
    show_full_result_count = False
    list_per_page = 50
    kept = True

    class Media:
        css = {"all": ["admin/lists.css"]}

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return not self.kept and super().has_delete_permission(request, obj)

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return BaseChangeList

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        reads = request.method in ("GET", "HEAD")
        try:
            if any("\0" in value for _, values in request.GET.lists() for value in values):
                raise IncorrectLookupParameters
            # Not for an action: it may commit by chunks.
            with transaction.atomic() if reads else nullcontext():
                response = super().changelist_view(request, extra_context)
                if hasattr(response, "render"):
                    response.render()  # its queries run here, where what they refuse is caught
        except (DataError, ValueError, IncorrectLookupParameters):
            if reads and request.GET.keys() <= {ERROR_FLAG}:
                raise  # nothing was asked for that could be junk
            return HttpResponseRedirect(f"{request.path}?{ERROR_FLAG}=1")
        return response

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        try:
            return super().changeform_view(request, object_id, form_url, extra_context)
        except IntegrityError as error:
            sentence = sentence_of(error)
            messages.error(request, sentence.text if sentence else NO_WORDS)
            return HttpResponseRedirect(request.get_full_path())

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        return super().history_view(request, self._checked_key(object_id), extra_context)

    def _checked_key(self, key: str) -> str:
        """Return the key of a row as it stands in an address; what can't be one answers 404."""
        try:
            models.BigAutoField().run_validators(int(unquote(key)))
        except (ValueError, ValidationError):
            raise Http404 from None
        return key

    def row_or_404(self, request: HttpRequest, object_id: str) -> Any:
        """Return the row of an address, for a page beside its own; 404 where there is none that may be seen."""
        row = self.get_object(request, self._checked_key(object_id))
        if row is None:
            raise Http404
        return row


class ReadOnly:
    """Rows of this list are made and changed by actions elsewhere, never in the admin."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class ReadOnlyAdmin(ReadOnly, BaseAdmin):
    """A list that is only read, of rows without a history of their own."""


class HistoryAdmin(BaseAdmin, SimpleHistoryAdmin, ModelAdmin):
    """Rows with a history that everybody who sees the row may read, and nobody may write.

    django-simple-history lets staff with only the view permission POST its form and so write the row: here every POST
    to a page of history answers 403.
    """

    object_history_form_template = "admin/history_form.html"

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        self._refuse_writing(request)
        return super().history_view(request, object_id, extra_context)

    def history_form_view(
        self, request: HttpRequest, object_id: str, version_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        self._refuse_writing(request)
        vars(request)["shows_the_past"] = True
        key, version = self._checked_key(object_id), self._checked_key(version_id)
        return super().history_form_view(request, key, version, extra_context)

    def _refuse_writing(self, request: HttpRequest) -> None:
        if request.method not in ("GET", "HEAD"):
            raise PermissionDenied("History is only read.")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Iterable[str]:
        """Return every field on a page of history, which would else show fields to write in."""
        if hasattr(request, "shows_the_past"):
            return flatten_fieldsets(self.get_fieldsets(request, obj))
        return super().get_readonly_fields(request, obj)

    def set_history_delta_changes(self, request: HttpRequest, historical_records: Iterable[Any], **kwargs: Any) -> None:
        """Put on each row but the oldest what changed: of every field, where Django's tools know only editable ones."""
        for newer, older in pairwise(historical_records):
            changed = [
                field.name
                for field in newer.tracked_fields
                if getattr(newer, field.attname) != getattr(older, field.attname)
            ]
            changes = [ModelChange(name, _shown(older, name), _shown(newer, name)) for name in changed]
            helper = self.get_historical_record_context_helper(request, newer)
            newer.history_delta_changes = helper.context_for_delta_changes(ModelDelta(changes, changed, older, newer))

    def revert_disabled(self, request: HttpRequest, obj: Any = None) -> bool:
        return True

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Save the row, unless the form changed nothing of it: that would leave a row of history that says nothing."""
        if not change or form.has_changed():
            super().save_model(request, obj, form, change)


def _shown(record: Any, field: str) -> Any:
    """Return the value of a field in words, with nothing for none."""
    words = getattr(record, f"get_{field}_display", None)
    value = words() if words else getattr(record, field)
    if isinstance(value, datetime):
        value = localtime(value)
    return "" if value is None else localize(value)


class BaseInline(TabularInline):
    """Rows on the page of another row, each without a line that repeats it; none is offered empty."""

    form = FullCheckForm
    extra = 0
    hide_title = True
