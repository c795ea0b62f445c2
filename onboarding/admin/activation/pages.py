"""The page that activates accounts: it previews what will happen, and activates them when the form is posted."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils.formats import localize

from accounts.models import Account, User
from accounts.roles import staff_of
from core.clock import database_now
from core.refusals import show_refusal
from onboarding.actions import activate, activate_many
from onboarding.admin.activation.forms import TYPED_ABOVE, ActivationForm, joined
from onboarding.admin.activation.objections import unless_ticked
from onboarding.admin.activation.review import Review
from onboarding.admin.results import Result, answer_of_one, named, show_result, with_reasons
from onboarding.daily_cap import left_of_day, left_today, why_no_more
from onboarding.models import Onboarding, Origin

PERMISSION = "onboarding.activate_account"
SHOWN_IN_FULL = 200


def activation_page(
    model_admin: Any, request: HttpRequest, accounts: Sequence[int], *, back: str, action: str = ""
) -> HttpResponse:
    """Preview the activation of the accounts with these primary keys, or activate them if the page's form was posted.

    Accounts with objections are activated only if they were ticked. Raises PermissionDenied if the user may not
    activate accounts. `back` is the URL to go to when done or canceled, and `action` the URL that the form is posted
    to, by default this one. A form with errors, or whose accounts were refused as a whole, is shown again.
    """
    by = staff_of(request, PERMISSION)
    now = database_now()
    review = Review(accounts, now)
    if request.method == "POST" and "reason" in request.POST:
        form = ActivationForm(request.POST, review=review)
        if form.is_valid():
            if len(accounts) == 1:
                answer = _activate_one(request, accounts[0], form, by=by, back=back)
            else:
                answer = _activate_many(request, accounts, form, by=by)
            if answer:
                return answer
            now = database_now()
            review = form.review = Review(accounts, now)  # what it was refused for may be new
    else:
        form = ActivationForm(review=review, initial={"accounts": joined(accounts)})
    return TemplateResponse(
        request,
        "admin/onboarding/onboarding/activate.html",
        {
            **model_admin.admin_site.each_context(request),
            **_shown(review, form),
            "title": _title(accounts, review),
            "opts": Onboarding._meta,
            "form": form,
            "form_action": action,
            "back": back,
            "cap": _cap(len(form.chosen), len(review.keys), by, now),
        },
    )


def _shown(review: Review, form: ActivationForm) -> dict[str, Any]:
    """Return what the template needs of the accounts and of what is chosen so far."""
    rows = review.clear[:SHOWN_IN_FULL]
    return {
        "count": len(review.keys),
        "keys": review.keys,
        "clear": rows,
        "clear_keys": review.clear_keys,
        "rest": named({row.account_id for row in review.clear[SHOWN_IN_FULL:]}),
        "groups": list(review.groups(form.ticked)),
        "objected": len(review.objected),
        "not_shown": with_reasons(review.not_shown()),
        "shown_keys": [row.account_id for row in (*rows, *review.shown)],
        "chosen": form.chosen,
        "refused": with_reasons(review.refused),
        "asks_number": len(review.keys) > TYPED_ABOVE,
        "typed_above": TYPED_ABOVE,
    }


def _title(accounts: Sequence[int], review: Review) -> str:
    rows = [*review.clear, *review.objected]
    return f"Activate {rows[0].account}" if len(accounts) == 1 and rows else "Activate accounts"


def _cap(chosen: int, most: int, by: User, now: datetime) -> str:
    """Return what the day's cap means for the chosen accounts, and for `most` once all are ticked; empty if nothing."""
    left = left_today(by, now)
    limit = f"{settings.ONBOARDING_ACTIVATIONS_A_DAY:,} a day (UTC)"
    if left is None:
        of_day = left_of_day(now)
        if chosen > of_day:
            return f"With today’s activations, these exceed the limit of {limit}. As an administrator, you may do that."
        return f"As an administrator, you may exceed the limit of {limit}." if most > of_day else ""
    if chosen > left or (most and not left):
        return why_no_more(left)
    return f"You can activate up to {left:,} of these accounts today: the limit is {limit}." if most > left else ""


def _activate_one(request: HttpRequest, key: int, form: ActivationForm, *, by: User, back: str) -> HttpResponse | None:
    """Activate the one account and go back with a message; None if it was refused, which the form then says."""
    account = Account.objects.filter(pk=key).first()
    if account is None:
        messages.error(request, "There is no such account.")
        return HttpResponseRedirect(back)

    def run() -> str:
        done = activate(
            account,
            by=by,
            reason=form.cleaned_data["reason"],
            origin=Origin.ADMIN,
            unless=unless_ticked(form.ticked),
        )
        return f"{account} is active. Full charges started on {localize(done.activated_on)}."

    return answer_of_one(request, form, back, run)


def _activate_many(
    request: HttpRequest, accounts: Sequence[int], form: ActivationForm, *, by: User
) -> HttpResponse | None:
    """Activate the chosen accounts and lead to the page with the results; None if they were refused as a whole."""
    ticked = form.ticked
    left_out = form.review.left_out(ticked)
    wanted = [key for key in accounts if key not in left_out]
    activated: list[int] = []
    refused: dict[int, str] = {}
    stopped = ""
    try:
        for outcome in activate_many(
            wanted, by=by, reason=form.cleaned_data["reason"], origin=Origin.ADMIN, unless=unless_ticked(ticked)
        ):
            activated += outcome.activated
            refused |= outcome.refused
            left_out |= outcome.left_out
    except ValidationError as refusal:
        show_refusal(form, refusal)
        return None
    except PermissionDenied as denial:  # The permission was revoked during the run: report what was done until then.
        if not activated and not refused:
            raise
        stopped = str(denial)
    return show_result(
        request,
        Result(
            "Activated",
            "No accounts were activated",
            activated,
            refused=refused,
            left_out=left_out,
            stopped=stopped,
            left_out_title="Left out, still in onboarding",
            refused_title="Not activated",
        ),
    )


def keys_of(queryset: QuerySet[Onboarding]) -> list[int]:
    """Return the primary keys of the accounts of these rows, oldest first."""
    return list(queryset.oldest_first().values_list("account_id", flat=True))  # type: ignore[attr-defined]
