"""Staff are no contacts of customers: they would get the customer's email, and could act as the customer."""

from collections.abc import Sequence
from typing import Any

from django.core.checks import CheckMessage, Warning
from django.core.exceptions import ValidationError
from django.db.models import Q

from accounts.models import Contact, User
from core.checks import is_migrated

IS_STAFF = Q(user__is_staff=True) | Q(user__is_superuser=True)


def staff_refusal(user: User, stored: User | None) -> ValidationError | None:
    """Return the refusal to make a user staff who is a contact. `stored` is the user as stored. At most one query."""
    if stored is None or stored.is_of_staff or not user.is_of_staff:
        return None
    numbers = Contact.objects.filter(user=user.pk).values_list("account__number", flat=True).distinct()
    if not (found := sorted(numbers)):
        return None
    return ValidationError(
        "This user is a contact of %(accounts)s. Remove them there first, or add another login for their work here.",
        code="staff_contact",
        params={"accounts": ", ".join(found[:5]) + (" and others" if len(found) > 5 else "")},
    )


def check_staff_contacts(
    app_configs: Any = None, databases: Sequence[str] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """Return a warning that names the staff who are contacts, as they could be before 2026-11-27."""
    messages: list[CheckMessage] = []
    for alias in databases or []:
        if not is_migrated(alias, Contact):
            continue
        staff = Contact.objects.using(alias).filter(IS_STAFF).order_by("account__number", "user__email")
        pairs = staff.values_list("user__email", "account__number").distinct()
        named = [f"{email} of {number}" for email, number in pairs]
        if named:
            shown = ", ".join(named[:20]) + (f" and {len(named) - 20:,} more" if len(named) > 20 else "")
            hint = "Remove these contacts in the back office: they get the customers' email."
            messages.append(Warning(f"Staff are contacts of customers: {shown}.", hint=hint, id="accounts.W001"))
    return messages
