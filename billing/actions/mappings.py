"""The verb that saves a column mapping under a name, to be used for the next file of that system."""

from collections.abc import Mapping

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.utils import IntegrityError

from accounts.models import User
from billing.calls.cells import Unreadable
from billing.calls.importing import check_permission, checked_zone
from billing.calls.mapping import mapping_of
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


def save_mapping(name: str, columns: Mapping[str, str], *, by: User | None, zone: str = "") -> CallMapping:
    """Save which column is what under a name, and return the mapping; the same again is no other one.

    Needs the permission to import, otherwise PermissionDenied. Refused if the name says something else, or what is
    given can't be a mapping.
    """
    check_permission(by)
    try:
        mapping_of(columns)
    except Unreadable as why:
        raise ValidationError(str(why), code=why.code) from why
    if zone:
        checked_zone(zone)
    check_name(name, columns, zone=zone)
    if found := CallMapping.objects.filter(name=name.strip()).first():
        return found
    try:
        with transaction.atomic():
            return CallMapping.objects.create(name=name.strip(), columns=dict(columns), zone=zone, created_by=by)
    except IntegrityError:  # somebody saved this name at this moment
        check_name(name, columns, zone=zone)
        return CallMapping.objects.get(name=name.strip())
