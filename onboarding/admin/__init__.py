"""The Onboarding team's worklist, the page that activates accounts, and what onboarding adds to an account's page."""

from onboarding.admin import accounts
from onboarding.admin.notices import NoticeAdmin
from onboarding.admin.requests import GoLiveRequestAdmin
from onboarding.admin.worklist import OnboardingAdmin

__all__ = ["GoLiveRequestAdmin", "NoticeAdmin", "OnboardingAdmin", "accounts"]
