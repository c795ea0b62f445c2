"""The pages on which the team plans, for one account or many."""

from onboarding.admin.plans.forms import NoteForm
from onboarding.admin.plans.kinds import DEADLINE, OF_MANY, OWNER, PLAN_PAGES, PLANS_PERMISSION, SCHEDULE, Plan
from onboarding.admin.plans.pages import plan_page

__all__ = [
    "DEADLINE",
    "OF_MANY",
    "OWNER",
    "PLANS_PERMISSION",
    "PLAN_PAGES",
    "SCHEDULE",
    "NoteForm",
    "Plan",
    "plan_page",
]
