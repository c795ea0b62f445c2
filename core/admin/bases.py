"""Base classes of the admin's pages: read-only history, readable refusals, and rows that can't be deleted."""

from collections.abc import Callable, Iterable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import TYPE_CHECKING, Any, cast

from django import forms
from django.contrib import messages
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.utils import flatten_fieldsets, unquote
from django.contrib.admin.views.main import ERROR_FLAG
from django.core.exceptions import NON_FIELD_ERRORS, PermissionDenied, ValidationError
from django.db import DataError, IntegrityError, transaction
from django.db.models import Model
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.formats import localize
from django.utils.timezone import localtime
from simple_history.admin import SimpleHistoryAdmin
from simple_history.models import ModelChange, ModelDelta
from unfold.admin import ModelAdmin, TabularInline
from unfold.views import ChangeList

from core.admin.autocomplete import AutocompleteChecks, is_key
from core.admin.fieldsets import fieldsets_without
from core.guards import sentence_of
from core.refusals import show_as_message

if TYPE_CHECKING:
    ModelForm = forms.ModelForm[Any]
else:
    ModelForm = forms.ModelForm

NO_WORDS = "The database refused this, so nothing was saved: somebody else may have saved the same at this moment."


@dataclass(frozen=True)
class Writes:
    """The actions that save and remove a row of a model. Both take the row and, as `by`, the member of staff."""

    save: Callable[..., Any]
    remove: Callable[..., Any] | None = None


class FullCheckForm(ModelForm):
    """An admin form that checks all constraints of the row, not only those on the fields that it shows.

    Django skips each constraint on a field that the form doesn't have, like a read-only one, so that only the database
    would refuse the row. An error on such a field is shown above the form.
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
    """A list that offers to show all rows only if it is filtered or searched."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        if not self.has_active_filters and not self.query:
            self.full_result_count = self.result_count


class BaseAdmin(AutocompleteChecks, ModelAdmin):
    """An admin that answers invalid input and refusals of the database with a message instead of an error page.

    Rows can't be deleted unless `kept` is False.
    """

    form = FullCheckForm
    view_on_site = False
    show_full_result_count = False
    list_per_page = 50
    kept = True

    class Media:
        css = {"all": ["admin/lists.css"]}

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return not self.kept and super().has_delete_permission(request, obj)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Leave out of the form that adds a row what is only read, since a new row has no value yet."""
        fieldsets = super().get_fieldsets(request, obj)
        return fieldsets if obj else fieldsets_without(fieldsets, self.get_readonly_fields(request))

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return BaseChangeList

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        reads = request.method in ("GET", "HEAD")
        try:
            if any("\0" in value for _, values in request.GET.lists() for value in values):
                raise IncorrectLookupParameters
            # A POST runs an action, which may commit in chunks.
            with transaction.atomic() if reads else nullcontext():
                response: HttpResponse = super().changelist_view(request, extra_context)
                if hasattr(response, "render"):
                    response.render()  # now, so that errors of the template's queries are caught here
        except (DataError, ValueError, IncorrectLookupParameters):
            if reads and request.GET.keys() <= {ERROR_FLAG}:
                raise  # there was no input that could be invalid, so it is a real error
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
            response: HttpResponse = super().changeform_view(request, object_id, form_url, extra_context)
        except IntegrityError as error:
            sentence = sentence_of(error)
            messages.error(request, sentence.text if sentence else NO_WORDS)
            return HttpResponseRedirect(request.get_full_path())
        except ValidationError as refusal:  # an action found what the form did not, since it looks under a lock
            show_as_message(request, refusal)
            return HttpResponseRedirect(request.get_full_path())
        return response

    def change_context(self, request: HttpRequest, obj: Any) -> dict[str, Any]:
        """Return what the templates around the form of this row need beside the form; the visitor may see the row."""
        return {}

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, obj: Any = None, **kwargs: Any
    ) -> HttpResponse:
        if obj is not None:
            context = {**context, **self.change_context(request, obj)}
        response: HttpResponse = super().render_change_form(request, context, *args, obj=obj, **kwargs)
        return response

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        response: HttpResponse = super().history_view(request, self._checked_key(object_id), extra_context)
        return response

    def _checked_key(self, key: str) -> str:
        """Return the row's key from a URL. Raises Http404 if it can't be a key."""
        if not is_key(unquote(key) or "none"):
            raise Http404
        return key

    def row_or_404(self, request: HttpRequest, object_id: str) -> Any:
        """Return the row of this key, for an extra page about it. Raises Http404 if no such row may be seen."""
        row = self.get_object(request, self._checked_key(object_id))
        if row is None:
            raise Http404
        return row


class HistoryRequest(HttpRequest):
    """A request for a page of history, on which every field is only read."""

    shows_the_past: bool


def shows_the_past(request: HttpRequest) -> bool:
    """Return whether the request is for a page of history."""
    return getattr(request, "shows_the_past", False)


class ReadOnly:
    """A mixin for rows that are added and changed only by actions elsewhere, never in the admin."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class ReadOnlyAdmin(ReadOnly, BaseAdmin):
    """A read-only list of rows that have no history."""


class WritingAdmin(BaseAdmin):
    """An admin whose forms write by the actions in `writes`, by the model of the row: the page's, or an inline's."""

    writes: Mapping[type[Model], Writes] = {}

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Save the row by its action, unless nothing in the form has changed, which would add an empty history row."""
        if not change or form.has_changed():
            self.writes[self.model].save(obj, by=request.user)

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        """Remove and save the rows of an inline by their actions."""
        saved = formset.save(commit=False)
        if saved or formset.deleted_objects:
            self.save_rows(request, formset.model, saved, formset.deleted_objects)

    def save_rows(self, request: HttpRequest, model: type[Model], saved: list[Any], removed: list[Any]) -> None:
        """Remove and save rows of an inline's model. Override it where one action takes all of them."""
        writes = self.writes[model]
        for row in removed:
            assert writes.remove is not None, "an inline without an action that removes rows must not offer it"
            writes.remove(row, by=request.user)
        for row in saved:
            writes.save(row, by=request.user)


class HistoryAdmin(WritingAdmin, SimpleHistoryAdmin, ModelAdmin):
    """An admin of rows with a history that anyone who may view the row may read, and nobody may change.

    django-simple-history lets staff with only the view permission POST its history form, and so change the row. Here,
    every POST to a history page is answered with 403.
    """

    object_history_form_template = "admin/history_form.html"

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        self._check_only_read(request)
        return super().history_view(request, object_id, extra_context)

    def history_form_view(
        self, request: HttpRequest, object_id: str, version_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        self._check_only_read(request)
        cast(HistoryRequest, request).shows_the_past = True
        key, version = self._checked_key(object_id), self._checked_key(version_id)
        response: HttpResponse = super().history_form_view(request, key, version, extra_context)
        return response

    def _check_only_read(self, request: HttpRequest) -> None:
        """Raise PermissionDenied for anything but looking."""
        if request.method not in ("GET", "HEAD"):
            raise PermissionDenied("History is only read.")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Iterable[str]:
        """Return every field on a history page, which would otherwise show inputs."""
        if shows_the_past(request):
            return flatten_fieldsets(self.get_fieldsets(request, obj))
        fields: Iterable[str] = super().get_readonly_fields(request, obj)
        return fields

    def set_history_delta_changes(self, request: HttpRequest, historical_records: Iterable[Any], **kwargs: Any) -> None:
        """Set `history_delta_changes` of each history row but the oldest, for all fields.

        The superclass compares editable fields only.
        """
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


def _shown(record: Any, field: str) -> Any:
    """Return the value of a field as text; an empty string for None."""
    words = getattr(record, f"get_{field}_display", None)
    value = words() if words else getattr(record, field)
    if isinstance(value, datetime):
        value = localtime(value)
    return "" if value is None else localize(value)


class BaseInline(AutocompleteChecks, TabularInline):
    """Rows on another row's page, without a title line for each, and without empty extra rows."""

    form = FullCheckForm
    extra = 0
    hide_title = True
