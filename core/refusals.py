"""The content of refusals and how to show them. A refusal is a ValidationError with a code."""

from collections.abc import Iterator

from django.contrib import messages
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.forms import BaseForm
from django.http import HttpRequest


class AlreadyDone(ValidationError):
    """The refusal of a request for something that was done before. Nothing is written, not even a Refusal."""


def reasons_of(refusal: ValidationError) -> Iterator[tuple[str, ValidationError]]:
    """Yield each reason of a refusal with its field, or NON_FIELD_ERRORS if it has none."""
    by_field = refusal.error_dict if hasattr(refusal, "error_dict") else {NON_FIELD_ERRORS: refusal.error_list}
    for field, reasons in by_field.items():
        for reason in reasons:
            yield field, reason


def show_refusal(form: BaseForm, refusal: ValidationError, *, at: str = NON_FIELD_ERRORS) -> None:
    """Add each reason of a refusal to its field of the form, or to the form as a whole if it has no such field.

    A reason without a field is added to the field `at`.
    """
    for field, reason in reasons_of(refusal):
        place = at if field == NON_FIELD_ERRORS else field
        form.add_error(place if place in form.fields else None, reason)


def show_as_message(request: HttpRequest, refusal: ValidationError) -> None:
    """Show a refusal as a message on the next page. AlreadyDone is shown as information, not as an error."""
    level = messages.INFO if isinstance(refusal, AlreadyDone) else messages.ERROR
    messages.add_message(request, level, " ".join(refusal.messages))


def without_nul(text: str) -> str:
    """Return the text with NUL replaced, which PostgreSQL can't store, so that any input can be recorded."""
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}")
