"""What the team plans: for each kind its words, its form, its permission, and the action it calls."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from onboarding.actions import (
    answer_go_live,
    assign_owner,
    assign_owner_many,
    cancel_schedule,
    follow_policy,
    remove_deadline,
    schedule_activation,
    schedule_activation_many,
    set_deadline,
    set_deadline_many,
    write_note,
)
from onboarding.admin.activation import PERMISSION as ACTIVATES
from onboarding.admin.activation import ChosenForm
from onboarding.admin.plans.forms import AnswerForm, DeadlineForm, NoteForm, OwnerForm, ReasonForm, ScheduleForm
from onboarding.plans import PlanChanges

PLANS_PERMISSION = "onboarding.change_onboarding"


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
    run_many: Callable[..., Iterator[PlanChanges]] | None = None
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
PLAN_PAGES = (OWNER, DEADLINE, NO_DEADLINE, POLICY, SCHEDULE, CANCEL, NOTE, ANSWER)
OF_MANY = tuple(plan for plan in PLAN_PAGES if plan.run_many)
