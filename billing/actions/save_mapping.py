"""The action that saves a column mapping under a name, so that it can be used for the next file of that system."""

from collections.abc import Mapping

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.utils import IntegrityError

from accounts.models import User
from billing.calls.cells import Unreadable
from billing.calls.importing import check_permission, checked_zone
from billing.calls.mapping import mapping_of
from billing.calls.mapping_names import check_name
from billing.models import CallMapping


def save_mapping(name: str, columns: Mapping[str, str], *, by: User | None, zone: str = "") -> CallMapping:
    """Save the columns and the time zone as a mapping with this name, and return it, or the same one saved before.

    Raises PermissionDenied without the permission to import. Raises ValidationError if the name belongs to a different
    mapping, or if the columns or the zone are not valid.
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
    except IntegrityError:  # another user has just saved this name
        check_name(name, columns, zone=zone)
        return CallMapping.objects.get(name=name.strip())
