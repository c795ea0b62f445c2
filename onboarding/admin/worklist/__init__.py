"""The worklist: accounts in onboarding, the oldest first, and what the team does with many of them at once."""

from onboarding.admin.worklist.exporting import Column
from onboarding.admin.worklist.listing import PageOfWorklist, Worklist

__all__ = ["Column", "PageOfWorklist", "Worklist"]
