"""The Onboarding team's worklist, the one page on which accounts are activated, and what is on an account's page."""

from onboarding.admin import accounts
from onboarding.admin.notices import NoticeAdmin
from onboarding.admin.requests import GoLiveRequestAdmin
from onboarding.admin.worklist import OnboardingAdmin

__all__ = ["GoLiveRequestAdmin", "NoticeAdmin", "OnboardingAdmin", "accounts"]
