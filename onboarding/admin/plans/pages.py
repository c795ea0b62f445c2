"""The page of a plan, for one account or many: it shows what will happen, and does it on POST."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from accounts.models import Account, User
from accounts.roles import staff_of
from core.clock import database_now
from core.refusals import show_refusal
from onboarding.activating import refusals_of
from onboarding.admin.activation import SHOWN_IN_FULL, ChosenForm, joined
from onboarding.admin.plans.kinds import Plan
from onboarding.admin.results import Result, answer_of_one, named, show_result, with_reasons
from onboarding.models import Onboarding
from onboarding.plans import PlanChanges
from onboarding.worklist import planned


def plan_page(
    model_admin: Any, request: HttpRequest, plan: Plan, accounts: Sequence[int], *, back: str, action: str = ""
) -> HttpResponse:
    """Show the plan's form for the accounts with these keys, or do it where the request posts that form.

    Needs the plan's permission for both. `back` and `action` are those of `activation_page`. What one account is
    refused is said at the form; of many, each is told what became of it.
    """
    by = staff_of(request, plan.permission)
    confirmed = request.method == "POST" and "confirmed" in request.POST
    refused = {} if plan.takes_active else refusals_of(accounts)
    rows = list(_rows([key for key in accounts if key not in refused])[:SHOWN_IN_FULL])
    initial = plan.initial(rows[0]) if len(accounts) == 1 and rows else {}
    form = plan.form(request.POST if confirmed else None, initial={**initial, "accounts": joined(accounts)})
    if confirmed and form.is_valid():
        values = {name: value for name, value in form.cleaned_data.items() if name not in ("accounts", "confirmed")}
        if action == "":
            answer = _run_one(request, plan, accounts[0], form, values, by, back)
        else:
            answer = _run_many(request, plan, accounts, form, values, by)
        if answer:
            return answer
    count = len(accounts) - len(refused)
    return TemplateResponse(
        request,
        "admin/onboarding/onboarding/plan.html",
        {
            **model_admin.admin_site.each_context(request),
            "title": plan.title,
            "opts": Onboarding._meta,
            "object": rows[0] if len(accounts) == 1 and rows else None,
            "plan": plan,
            "form": form,
            "form_action": action,
            "back": back,
            "count": count,
            "rows": [(row, row.age(database_now()).days) for row in rows],
            "rest": named({key for key in accounts if key not in refused} - {row.account_id for row in rows}),
            "refused": with_reasons(refused),
        },
    )


def _rows(accounts: Sequence[int]) -> QuerySet[Any]:
    rows = Onboarding.objects.filter(account__in=accounts).oldest_first()
    return planned(rows).select_related("account", "owner")


def _run_one(
    request: HttpRequest,
    plan: Plan,
    key: int,
    form: ChosenForm,
    values: Mapping[str, Any],
    by: User,
    back: str,
) -> HttpResponse | None:
    """Run the plan's action on the one account and go back; None where it was refused, which the form then says."""
    account = Account.objects.get(pk=key)

    def run() -> str:
        plan.run(account, by=by, **values)
        return f"{plan.done}: {account}."

    return answer_of_one(request, form, back, run)


def _run_many(
    request: HttpRequest,
    plan: Plan,
    accounts: Sequence[int],
    form: ChosenForm,
    values: Mapping[str, Any],
    by: User,
) -> HttpResponse | None:
    """Run the plan's action on all the accounts and lead to the page with the results; None if nothing was tried."""
    whole = PlanChanges()
    stopped = ""
    assert plan.run_many
    try:
        for outcome in plan.run_many(accounts, by=by, **values):
            whole = replace(whole, changed=whole.changed + outcome.changed, refused=whole.refused | outcome.refused)
    except ValidationError as refusal:
        show_refusal(form, refusal)
        return None
    except PermissionDenied as denial:  # The permission was revoked during the run: report what was done until then.
        if not whole.changed and not whole.refused:
            raise
        stopped = str(denial)
    return show_result(
        request, Result(plan.done, "Nothing was changed", whole.changed, refused=whole.refused, stopped=stopped)
    )
