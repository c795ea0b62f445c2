"""What a refusal says, and how it is shown on a form: a refusal is a ValidationError with a code."""

from collections.abc import Iterator

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.forms import BaseForm


class AlreadyDone(ValidationError):
    """The answer to a request for something that has been done: nothing is written, not even a Refusal."""


def reasons_of(refusal: ValidationError) -> Iterator[tuple[str, ValidationError]]:
    """Yield each reason of a refusal with the field it stands at."""
    by_field = refusal.error_dict if hasattr(refusal, "error_dict") else {NON_FIELD_ERRORS: refusal.error_list}
    for field, reasons in by_field.items():
        for reason in reasons:
            yield field, reason


def show_refusal(form: BaseForm, refusal: ValidationError) -> None:
    """Put each reason of a refusal at its field of the form, or above the form where it has no such field."""
    for field, reason in reasons_of(refusal):
        form.add_error(field if field in form.fields else None, reason)


def without_nul(text: str) -> str:
    """Return the text with a mark in place of what PostgreSQL can't store: whatever was tried can be recorded."""
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}")
