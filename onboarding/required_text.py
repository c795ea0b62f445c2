"""Text that an action needs: a reason, an answer, a note."""

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _


def required_text(text: str, *, field: str, missing: str, longest: int = 2_000) -> str:
    """Return the text without blanks around it; refused in the words `missing` where nothing is left of it.

    Also refused where PostgreSQL can't store it, or where it is longer than so many characters.
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
