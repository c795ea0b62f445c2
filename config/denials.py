"""Recording what staff tried in the back office without permission, which the admin answers with 403."""

from typing import Final

from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest

from accounts.acting import record_refusals
from accounts.models import Account, User

ACCOUNT_OF: Final = {"accounts_account": "pk", "onboarding_onboarding": "onboarding__pk"}
WHY: Final = "You may not do this in the back office."


def record_denial(request: HttpRequest, denial: PermissionDenied) -> None:
    """Record a Refusal for a denied POST to the admin, with the account if the URL names one.

    Actions record their own denials. This is for what a page denies before it calls an action.
    """
    match, user = request.resolver_match, request.user
    if request.method != "POST" or vars(denial).get("is_recorded"):
        return
    if match is None or match.app_name != "admin" or not isinstance(user, User):
        return
    name = match.url_name or "admin"
    tried = str(match.kwargs.get("object_id") or request.POST.get("action") or request.POST.get("accounts", ""))
    refusal = ValidationError(str(denial) or WHY, code="permission_denied", params={"tried": tried})
    record_refusals(_account(name, tried), user, name, refusal)


def _account(name: str, key: str) -> Account | None:
    """Return the account that the page of this URL name is about, given the key in its URL, or None."""
    is_key = len(key) < 19 and key.isascii() and key.isdigit()
    path = next((path for page, path in ACCOUNT_OF.items() if name.startswith(page)), None)
    return Account.objects.filter(**{path: int(key)}).first() if is_key and path else None
