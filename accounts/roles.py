"""What each contact role may do on an account (R20)."""

import enum

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.utils.functional import lazy
from django.utils.translation import gettext, gettext_lazy, gettext_noop
from django.utils.translation import gettext_lazy as _

from accounts.models import Account, Contact, Role, User
from core.guards import LazyStr

NOT_YOURS = "You don't have permission to do this in the back office."


class Capability(enum.StrEnum):
    """Something a customer may do on an account."""

    SEE_SERVICES = gettext_noop("see services")
    CHANGE_SERVICES = gettext_noop("change services")
    SEE_BILLING = gettext_noop("see billing")
    SEE_AUDIT_LOG = gettext_noop("see the audit log")
    CHANGE_BILLING_PROFILE = gettext_noop("change the billing profile")

    @property
    def in_words(self) -> LazyStr:
        """The capability as text, in the language that is active when it is read."""
        return gettext_lazy(self.value)


CAPABILITIES: dict[str, frozenset[Capability]] = {
    Role.OWNER: frozenset(Capability),
    Role.TECHNICAL: frozenset({Capability.SEE_SERVICES, Capability.CHANGE_SERVICES}),
    Role.BILLING: frozenset({Capability.SEE_BILLING, Capability.SEE_AUDIT_LOG, Capability.CHANGE_BILLING_PROFILE}),
    Role.VIEWER: frozenset({Capability.SEE_SERVICES, Capability.SEE_BILLING, Capability.SEE_AUDIT_LOG}),
}


def capabilities_of(user: User, account: Account) -> frozenset[Capability]:
    """Return what the user may do as a contact of the account, from all of their roles. One query."""
    roles = Contact.objects.filter(account=account, user=user).values_list("role", flat=True)
    return frozenset().union(*(CAPABILITIES[role] for role in roles))


def require(capability: Capability, user: User, account: Account, *, or_permission: str = "") -> None:
    """Raise PermissionDenied unless the user has the capability as a contact, or the permission as active staff.

    The user is read again from the database, since they may have been deactivated after the request was authenticated.
    """
    if not User.objects.filter(pk=user.pk, is_active=True).exists():
        raise PermissionDenied(_("This log-in has been switched off."))
    if capability in capabilities_of(user, account):
        return
    if or_permission and is_staff_with(user, or_permission):
        return
    raise PermissionDenied(_denial(capability))


def require_staff(by: User, permission: str, denial: LazyStr) -> None:
    """Raise PermissionDenied with the message `denial` unless the user is active staff with the permission.

    The user is read again from the database, since they may have been deactivated in the meantime.
    """
    if not is_staff_with(by, permission):
        raise PermissionDenied(denial)


def staff_of(request: HttpRequest, permission: str) -> User:
    """Return the user of a back-office request. Raises PermissionDenied unless they are staff with the permission."""
    user = request.user
    if not isinstance(user, User):
        raise PermissionDenied(NOT_YOURS)
    require_staff(user, permission, NOT_YOURS)
    return user


def is_staff_with(user: User, permission: str) -> bool:
    """Return whether the user is active staff with the permission, according to the database and not the object."""
    current = User.objects.filter(pk=user.pk, is_active=True, is_staff=True).first()
    return current is not None and current.has_perm(permission)


def _denied(capability: Capability) -> str:
    return gettext(
        "Your role on this account does not let you %(capability)s. The account's owner can give you one that does."
    ) % {"capability": capability.in_words}


_denial = lazy(_denied, str)  # the Refusal may be stored in another language than the page's
