"""Records what staff tried in the back office without permission, which the admin answers with 403."""

from typing import Final

from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest
from django.urls import ResolverMatch

from accounts.acting import RecordedDenial, record_refusals
from accounts.models import Account, User
from accounts.roles import NOT_YOURS
from accounts.verbs import BACK_OFFICE
from core.verbs import verb_of

ACCOUNT_OF: Final = {"accounts_account": "pk", "onboarding_onboarding": "onboarding__pk"}


def record_denial(request: HttpRequest, denial: PermissionDenied) -> None:
    """Record a Refusal for a denied POST to the admin, with the account if the URL names one.

    Actions record their own denials. This is for denials by a page before it calls an action. They are recorded under
    the page's verb (`core.verbs.stands_for`), or as BACK_OFFICE with the page's path.
    """
    match, user = request.resolver_match, request.user
    if request.method != "POST" or isinstance(denial, RecordedDenial):
        return
    if match is None or match.app_name != "admin" or not isinstance(user, User):
        return
    asked = request.POST.get("action", "")
    verb = verb_of(_denied(match, asked))
    key = str(match.kwargs.get("object_id", ""))
    tried = key or asked or request.POST.get("accounts", "")
    refusal = ValidationError(
        str(denial) or NOT_YOURS,
        code="permission_denied",
        params={"tried": tried if verb else " ".join(filter(None, [request.path, asked]))},
    )
    record_refusals(_account(match.url_name or "", key), user, verb or BACK_OFFICE, refusal)


def _denied(match: ResolverMatch, asked: str) -> object:
    """Return the view that was denied: the page, or for a list's action, that action."""
    model_admin = getattr(match.func, "model_admin", None)
    return getattr(model_admin, asked) if model_admin and asked in (model_admin.actions or ()) else match.func


def _account(name: str, key: str) -> Account | None:
    """Return the account that the page of this URL name is about, given the key in its URL, or None."""
    is_key = len(key) < 19 and key.isascii() and key.isdigit()
    path = next((path for page, path in ACCOUNT_OF.items() if name.startswith(page)), None)
    return Account.objects.filter(**{path: int(key)}).first() if is_key and path else None
