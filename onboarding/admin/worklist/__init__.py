"""The worklist: accounts in onboarding, the oldest first, and what the team does with many of them at once."""

from onboarding.admin.worklist import columns, filters, panels
from onboarding.admin.worklist.listing import OnboardingAdmin
from onboarding.admin.worklist.registry import WORKLIST, Column, Export, Filter, Loader

__all__ = [
    "WORKLIST",
    "Column",
    "Export",
    "Filter",
    "Loader",
    "OnboardingAdmin",
    "columns",
    "filters",
    "panels",
]
