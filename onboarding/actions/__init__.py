"""The actions on accounts in onboarding, one per file."""

from onboarding.actions.activate import activate
from onboarding.actions.activate_many import activate_many
from onboarding.actions.activate_overdue import activate_overdue
from onboarding.actions.activate_scheduled import activate_scheduled
from onboarding.actions.announce import announce
from onboarding.actions.answer_go_live import answer_go_live
from onboarding.actions.assign_owner import assign_owner, assign_owner_many
from onboarding.actions.cancel_schedule import cancel_schedule
from onboarding.actions.follow_policy import follow_policy
from onboarding.actions.remove_deadline import remove_deadline
from onboarding.actions.request_go_live import request_go_live
from onboarding.actions.schedule_activation import schedule_activation, schedule_activation_many
from onboarding.actions.send_again import SentAgain, send_again
from onboarding.actions.set_deadline import set_deadline, set_deadline_many
from onboarding.actions.withdraw_go_live import withdraw_go_live
from onboarding.actions.write_note import write_note

__all__ = [
    "SentAgain",
    "activate",
    "activate_many",
    "activate_overdue",
    "activate_scheduled",
    "announce",
    "answer_go_live",
    "assign_owner",
    "assign_owner_many",
    "cancel_schedule",
    "follow_policy",
    "remove_deadline",
    "request_go_live",
    "schedule_activation",
    "schedule_activation_many",
    "send_again",
    "set_deadline",
    "set_deadline_many",
    "withdraw_go_live",
    "write_note",
]
