"""The Onboarding team's worklist, and the one page on which accounts are activated."""

from onboarding.admin.accounts import OnboardedAccountAdmin
from onboarding.admin.notices import NoticeAdmin
from onboarding.admin.requests import GoLiveRequestAdmin
from onboarding.admin.worklist import Worklist

__all__ = ["GoLiveRequestAdmin", "NoticeAdmin", "OnboardedAccountAdmin", "Worklist"]
