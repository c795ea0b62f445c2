from core.chunks import CHUNK
from onboarding.actions.activation import (
    Activations,
    activate,
    activate_many,
    checked_reason,
    refusals_of,
    require_activator,
)
from onboarding.actions.changes import PlanChanges
from onboarding.actions.go_live import answer_go_live, request_go_live, withdraw_go_live
from onboarding.actions.nightly import (
    activate_overdue,
    activate_scheduled,
    allowance,
    announce,
    announcement,
    due_by_deadline,
    due_by_schedule,
    to_be_announced,
)
from onboarding.actions.notices import SentAgain, send_again
from onboarding.actions.planning import (
    assign_owner,
    assign_owner_many,
    follow_policy,
    remove_deadline,
    set_deadline,
    set_deadline_many,
    write_note,
)
from onboarding.actions.refusals import not_installed_refusal
from onboarding.actions.scheduling import cancel_schedule, schedule_activation, schedule_activation_many

__all__ = [
    "CHUNK",
    "Activations",
    "PlanChanges",
    "SentAgain",
    "activate",
    "activate_many",
    "activate_overdue",
    "activate_scheduled",
    "allowance",
    "announce",
    "announcement",
    "answer_go_live",
    "assign_owner",
    "assign_owner_many",
    "cancel_schedule",
    "checked_reason",
    "due_by_deadline",
    "due_by_schedule",
    "follow_policy",
    "not_installed_refusal",
    "refusals_of",
    "remove_deadline",
    "request_go_live",
    "require_activator",
    "schedule_activation",
    "schedule_activation_many",
    "send_again",
    "set_deadline",
    "set_deadline_many",
    "to_be_announced",
    "withdraw_go_live",
    "write_note",
]
