"""What became of one account or many, shown after a redirect, so that a reload of the page does nothing again."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any
from uuid import UUID, uuid4

from django import forms
from django.contrib import messages
from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse

from accounts.models import Account
from core.refusals import AlreadyDone, show_as_message, show_refusal
from onboarding.models import Onboarding

KEPT_FOR = 24 * 60 * 60  # seconds
Named = tuple[str, str]


@dataclass(frozen=True)
class Result:
    """The keys of the accounts for which it was done, and of the others why not.

    `done` says what was done, as after “3 accounts: ”, and `nothing` that it was done for none. `left_out` are accounts
    for which it could have been done. `stopped` says why it ended before the last account.
    """

    done: str
    nothing: str
    accounts: Sequence[int]
    refused: Mapping[int, str] = field(default_factory=dict)
    left_out: Mapping[int, str] = field(default_factory=dict)
    stopped: str = ""
    left_out_title: str = "Left out"
    refused_title: str = "Not changed"


def show_result(request: HttpRequest, result: Result) -> HttpResponse:
    """Keep the result for a day, for the user alone who made the request, and redirect to its page."""
    token = uuid4()
    cache.set(_name(request, token), asdict(result), KEPT_FOR)
    return HttpResponseRedirect(reverse("admin:onboarding_result", args=[token]))


def answer_of_one(request: HttpRequest, form: forms.Form, back: str, run: Callable[[], str]) -> HttpResponse | None:
    """Run something on one account, and go back with what it says; None if it was refused, which the form then says."""
    try:
        done = run()
    except AlreadyDone as answer:
        show_as_message(request, answer)
    except ValidationError as refusal:
        show_refusal(form, refusal)
        return None
    else:
        messages.success(request, done)
    return HttpResponseRedirect(back)


def result_page(model_admin: Any, request: HttpRequest, token: UUID) -> HttpResponse:
    """Show a result. Redirect to the worklist if it is no longer kept, or is somebody else's."""
    back = reverse("admin:onboarding_onboarding_changelist")
    kept = cache.get(_name(request, token))
    if kept is None:
        messages.warning(request, "This result is no longer available. The list shows the accounts as they are now.")
        return HttpResponseRedirect(back)
    result = Result(**kept)
    return TemplateResponse(
        request,
        "admin/onboarding/onboarding/result.html",
        {
            **model_admin.admin_site.each_context(request),
            "title": result.done if result.accounts else result.nothing,
            "opts": Onboarding._meta,
            "back": back,
            "result": result,
            "accounts": named(result.accounts),
            "refused": with_reasons(result.refused),
            "left_out": with_reasons(result.left_out),
        },
    )


def _name(request: HttpRequest, token: UUID) -> str:
    return f"onboarding-result:{request.user.pk}:{token}"


def named(accounts: Sequence[int] | set[int]) -> list[Named]:
    """Return the number and company of each of these accounts, ordered by number."""
    if not accounts:
        return []
    return list(Account.objects.filter(pk__in=accounts).order_by("number").values_list("number", "company"))


def with_reasons(refused: Mapping[int, str]) -> list[tuple[str, str, str]]:
    """Return the number, company and reason of each refused account, ordered by number.

    A key without an account comes last, with an empty number and a text in place of the company.
    """
    if not refused:
        return []
    accounts = Account.objects.filter(pk__in=refused).order_by("number").values_list("pk", "number", "company")
    known = {key: (number, company) for key, number, company in accounts}
    unknown = ("", "There is no such account")
    return [(*known.get(key, unknown), refused[key]) for key in (*known, *(refused.keys() - known.keys()))]
