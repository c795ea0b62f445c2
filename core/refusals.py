"""What a refusal says, and how it is shown: a refusal is a ValidationError with a code."""

from collections.abc import Iterator

from django.contrib import messages
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.forms import BaseForm
from django.http import HttpRequest


class AlreadyDone(ValidationError):
    """The answer to a request for something that has been done: nothing is written, not even a Refusal."""


def reasons_of(refusal: ValidationError) -> Iterator[tuple[str, ValidationError]]:
    """Yield each reason of a refusal with the field it stands at."""
    by_field = refusal.error_dict if hasattr(refusal, "error_dict") else {NON_FIELD_ERRORS: refusal.error_list}
    for field, reasons in by_field.items():
        for reason in reasons:
            yield field, reason


def show_refusal(form: BaseForm, refusal: ValidationError, *, at: str = NON_FIELD_ERRORS) -> None:
    """Put each reason of a refusal at its field of the form, or above the form if it has no such field.

    A reason that names no field stands `at` this one.
    """
    for field, reason in reasons_of(refusal):
        place = at if field == NON_FIELD_ERRORS else field
        form.add_error(place if place in form.fields else None, reason)


def show_as_message(request: HttpRequest, refusal: ValidationError) -> None:
    """Say a refusal above the next page, where there is no form; that something was done already is no error."""
    level = messages.INFO if isinstance(refusal, AlreadyDone) else messages.ERROR
    messages.add_message(request, level, " ".join(refusal.messages))


def without_nul(text: str) -> str:
    """Return the text with a mark in place of what PostgreSQL can't store: whatever was tried can be recorded."""
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}")
