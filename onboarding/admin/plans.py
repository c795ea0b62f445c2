"""The pages on which the team plans, for one account or many: each shows what will happen, and does it on POST."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.models import Permission
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from accounts.actions import AlreadyDone, database_now, reasons_of
from accounts.models import Account, User
from onboarding.actions import (
    Changes,
    answer_go_live,
    assign_owner,
    assign_owner_many,
    cancel_schedule,
    follow_policy,
    refusals_of,
    remove_deadline,
    schedule_activation,
    schedule_activation_many,
    set_deadline,
    set_deadline_many,
    write_note,
)
from onboarding.admin.activation import PERMISSION as ACTIVATES
from onboarding.admin.activation import SHOWN_IN_FULL, ChosenForm, joined, named, with_reasons
from onboarding.models import Onboarding
from onboarding.worklist import planned

PLANS_PERMISSION = "onboarding.change_onboarding"


class DayInput(UnfoldAdminTextInputWidget):
    input_type = "date"

    def format_value(self, value: Any) -> str | None:
        return value.isoformat() if hasattr(value, "isoformat") else value


def words(help_text: str = "", rows: int = 3, most: int = 2_000, **more: Any) -> forms.CharField:
    widget = UnfoldAdminTextareaWidget(attrs={"rows": rows})
    return forms.CharField(max_length=most, widget=widget, help_text=help_text, **more)


def team() -> QuerySet[User]:
    """Return who may activate accounts, and so look after one."""
    held = Permission.objects.filter(codename="activate_account", content_type__app_label="onboarding").values("pk")
    given = Q(groups__permissions__in=held) | Q(user_permissions__in=held)
    able = User.objects.filter(Q(is_superuser=True) | given).order_by().values("pk")
    return User.objects.filter(pk__in=able, is_active=True, is_staff=True).order_by("first_name", "last_name", "email")


class OwnerForm(ChosenForm):
    owner = forms.ModelChoiceField(
        queryset=User.objects.none(),
        required=False,
        empty_label="Nobody",
        widget=UnfoldAdminSelectWidget,
        label="Owner on the team",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        owner = self.fields["owner"]
        assert isinstance(owner, forms.ModelChoiceField)
        owner.queryset = team()


class DeadlineForm(ChosenForm):
    on = forms.DateField(label="Last day of onboarding", widget=DayInput)
    reason = words("The customer is told it.")


class ReasonForm(ChosenForm):
    reason = words("The customer is told it.")


class ScheduleForm(ChosenForm):
    on = forms.DateField(
        label="Day of the activation", widget=DayInput, help_text="Charging starts on this day, where the account is."
    )
    reason = words("Kept with the account for good, like “Customer confirmed by phone, ticket 4711”.", most=500)


class NoteForm(ChosenForm):
    text = words("For the team alone; customers never see it.", rows=4, most=4_000, label="Note")


class AnswerForm(ChosenForm):
    answer = words("The customer reads it in HostPilot and by e-mail.", rows=4)


@dataclass(frozen=True)
class Plan:
    """A page of the admin that calls one action: `run` for one account, `run_many` for those chosen in the list.

    `name` stands in addresses. `says` is what it means, in a sentence or two, and `done` what is told afterwards.
    """

    name: str
    title: str
    button: str
    says: str
    done: str
    run: Callable[..., Any]
    run_many: Callable[..., Iterator[Changes]] | None = None
    form: type[ChosenForm] = ChosenForm
    permission: str = PLANS_PERMISSION
    icon: str = "edit"
    variant: str = "primary"
    initial: Callable[[Any], Mapping[str, Any]] = lambda row: {}
    takes_active: bool = False


OWNER = Plan(
    name="owner",
    title="Assign an owner",
    button="Assign the owner",
    says="Who of the team looks after the account. Customers are not told.",
    done="The owner was assigned",
    run=assign_owner,
    run_many=assign_owner_many,
    form=OwnerForm,
    icon="person",
    initial=lambda row: {"owner": row.owner_id},
)
DEADLINE = Plan(
    name="deadline",
    title="Extend the deadline",
    button="Set the deadline",
    says="The account gets a deadline of its own, the last day of its onboarding. Its contacts are told by e-mail.",
    done="The deadline was set",
    run=set_deadline,
    run_many=set_deadline_many,
    form=DeadlineForm,
    icon="event_upcoming",
    initial=lambda row: {"on": row.deadline_on or row.deadline},
)
NO_DEADLINE = Plan(
    name="no-deadline",
    title="Remove the deadline",
    button="Remove the deadline",
    says="The account stays in onboarding until the team activates it. Its contacts are told by e-mail.",
    done="The deadline was removed",
    run=remove_deadline,
    form=ReasonForm,
    icon="event_busy",
)
POLICY = Plan(
    name="policy",
    title="Follow the policy",
    button="Follow the policy",
    says="The deadline of the policy of all accounts counts again, if there is one. The contacts are told by e-mail.",
    done="The account follows the policy of all accounts",
    run=follow_policy,
    icon="event_repeat",
)
SCHEDULE = Plan(
    name="schedule",
    title="Schedule the activation",
    button="Schedule the activation",
    says="On that day the account is activated by itself, for good, and charging starts. Until then it can be moved or "
    "cancelled. Its contacts are warned by e-mail.",
    done="The activation was scheduled",
    run=schedule_activation,
    run_many=schedule_activation_many,
    form=ScheduleForm,
    permission=ACTIVATES,
    icon="schedule",
    initial=lambda row: {"on": row.scheduled_on or row.wanted_on},
)
CANCEL = Plan(
    name="cancel-schedule",
    title="Cancel the schedule",
    button="Cancel the schedule",
    says="The account is not activated by its schedule any more. Its deadline, if it has one, counts again.",
    done="The schedule was cancelled",
    run=cancel_schedule,
    permission=ACTIVATES,
    icon="event_busy",
)
NOTE = Plan(
    name="note",
    title="Write a note",
    button="Keep the note",
    says="A note is kept for good, with your name and the time.",
    done="The note was kept",
    run=write_note,
    form=NoteForm,
    icon="edit_note",
    takes_active=True,
)
ANSWER = Plan(
    name="answer",
    title="Answer the request to go live",
    button="Send the answer",
    says="The request is settled by your answer, and the customer may ask anew. To fulfil it, activate or schedule the "
    "account too.",
    done="The request was answered",
    run=answer_go_live,
    form=AnswerForm,
    icon="reply",
)
PLANS = (OWNER, DEADLINE, NO_DEADLINE, POLICY, SCHEDULE, CANCEL, NOTE, ANSWER)
OF_MANY = tuple(plan for plan in PLANS if plan.run_many)


def plan_page(
    model_admin: Any, request: HttpRequest, plan: Plan, accounts: Sequence[int], *, back: str, action: str = ""
) -> HttpResponse:
    """Show the plan's form for the accounts with these keys, or do it where the request posts that form.

    Needs the plan's permission for both. `back` and `action` are those of `activation_page`. What one account is
    refused is said at the form; of many, each is told what became of it.
    """
    if not isinstance(request.user, User) or not request.user.has_perm(plan.permission):
        raise PermissionDenied
    confirmed = request.method == "POST" and "confirmed" in request.POST
    refused = {} if plan.takes_active else refusals_of(accounts)
    rows = list(_rows([key for key in accounts if key not in refused])[:SHOWN_IN_FULL])
    initial = plan.initial(rows[0]) if len(accounts) == 1 and rows else {}
    form = plan.form(request.POST if confirmed else None, initial={**initial, "accounts": joined(accounts)})
    if confirmed and form.is_valid():
        values = {name: value for name, value in form.cleaned_data.items() if name not in ("accounts", "confirmed")}
        run = _run_one if action == "" else _run_many
        if answer := run(model_admin, request, plan, accounts, form, values, request.user, back):
            return answer
    count = len(accounts) - len(refused)
    return TemplateResponse(
        request,
        "admin/onboarding/onboarding/plan.html",
        {
            **model_admin.admin_site.each_context(request),
            "title": plan.title,
            "opts": Onboarding._meta,
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
    model_admin: Any,
    request: HttpRequest,
    plan: Plan,
    accounts: Sequence[int],
    form: ChosenForm,
    values: Mapping[str, Any],
    by: User,
    back: str,
) -> HttpResponse | None:
    """Run the plan's action on the one account and go back; None where it was refused, which the form then says."""
    account = Account.objects.get(pk=accounts[0])
    try:
        plan.run(account, by=by, **values)
    except AlreadyDone as answer:
        messages.info(request, " ".join(answer.messages))
    except ValidationError as refusal:
        _say(form, refusal)
        return None
    else:
        messages.success(request, f"{plan.done}: {account}.")
    return HttpResponseRedirect(back)


def _run_many(
    model_admin: Any,
    request: HttpRequest,
    plan: Plan,
    accounts: Sequence[int],
    form: ChosenForm,
    values: Mapping[str, Any],
    by: User,
    back: str,
) -> HttpResponse | None:
    """Run the plan's action on all the accounts and tell of each what became of it; None where nothing was tried."""
    whole = Changes()
    stopped = ""
    assert plan.run_many
    try:
        for outcome in plan.run_many(accounts, by=by, **values):
            whole = replace(whole, changed=whole.changed + outcome.changed, refused=whole.refused | outcome.refused)
    except ValidationError as refusal:
        _say(form, refusal)
        return None
    except PermissionDenied as denial:  # taken from him while it ran: what is done is done, and told
        if not whole.changed and not whole.refused:
            raise
        stopped = str(denial)
    return TemplateResponse(
        request,
        "admin/onboarding/onboarding/planned.html",
        {
            **model_admin.admin_site.each_context(request),
            "title": plan.done if whole.changed else "Nothing was changed",
            "opts": Onboarding._meta,
            "back": back,
            "plan": plan,
            "changed": named(whole.changed),
            "refused": with_reasons(whole.refused),
            "stopped": stopped,
        },
    )


def _say(form: ChosenForm, refusal: ValidationError) -> None:
    """Show each reason at its field, or above the form where it has none."""
    for field, reason in reasons_of(refusal):
        form.add_error(field if field in form.fields else None, reason)
