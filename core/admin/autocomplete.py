"""Fields of the admin that find a row by typing, which answer junk in place of a key with a message."""

from typing import Any

from django.contrib.admin.widgets import AutocompleteMixin
from django.core.exceptions import ValidationError
from django.db import models
from django.http import HttpRequest


class PicksByKey(AutocompleteMixin):
    """Looks up only values that can be keys; Django's widget would fail on others when it shows the form again."""

    def optgroups(self, name: str, value: Any, attr: dict[str, Any] | None = None) -> Any:
        return super().optgroups(name, [each for each in value if is_key(each)], attr)


class AutocompleteChecks:
    """A mixin for an admin or an inline with `autocomplete_fields`."""

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        field = super().formfield_for_foreignkey(db_field, request, **kwargs)  # type: ignore[misc]
        if field and isinstance(field.widget, AutocompleteMixin):
            kind = type(field.widget)
            field.widget.__class__ = type(kind.__name__, (PicksByKey, kind), {})
        return field


def is_key(value: object) -> bool:
    """Return whether a posted value can be a primary key of ours, or is empty."""
    try:
        models.BigAutoField().run_validators(int(str(value))) if str(value) else None
    except (ValueError, ValidationError):
        return False
    return True
