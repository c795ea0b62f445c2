"""Checks text that an action requires, like a reason, an answer or a note."""

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _


def required_text(text: str, *, field: str, missing: str, longest: int = 2_000) -> str:
    """Return the text without surrounding whitespace.

    Raises ValidationError for `field`: with the message `missing` if the text is empty or contains NUL, which
    PostgreSQL can't store, and with its own message if the text is longer than `longest` characters.
    """
    if not isinstance(text, str) or not text.strip() or "\0" in text:
        raise ValidationError({field: ValidationError(missing, code=f"{field}_missing")})
    if len(text.strip()) > longest:
        too_long = ValidationError(
            _("Say it in %(longest)s characters at most; these are %(length)s."),
            code=f"{field}_too_long",
            params={"longest": f"{longest:,}", "length": f"{len(text.strip()):,}"},
        )
        raise ValidationError({field: too_long})
    return text.strip()
