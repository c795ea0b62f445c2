"""The names of column mappings."""

from collections.abc import Mapping

from django.core.exceptions import ValidationError

from billing.models import CallMapping

TAKEN = "There is a mapping with this name, and it says something else. Choose another name."


def check_name(name: str, columns: Mapping[str, str], *, zone: str = "") -> None:
    """Raise a refusal if this can't be a name, or if a mapping with this name says something else."""
    name = name.strip()
    longest = CallMapping._meta.get_field("name").max_length or 0
    if not name or len(name) > longest or not name.isprintable():
        raise ValidationError(f"A mapping needs a name of at most {longest} characters.", code="bad_name")
    found = CallMapping.objects.filter(name=name).first()
    if found and (found.columns, found.zone) != (dict(columns), zone):
        raise ValidationError(TAKEN, code="name_taken")
