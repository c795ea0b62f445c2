from onboarding.models.mode import DeadlineRule, Onboarding, OnboardingQuerySet, Origin
from onboarding.models.notes import Note
from onboarding.models.notices import Notice, NoticeQuerySet
from onboarding.models.requests import GoLiveRequest, GoLiveRequestQuerySet
from onboarding.notices.kinds import NoticeKind

__all__ = [
    "DeadlineRule",
    "GoLiveRequest",
    "GoLiveRequestQuerySet",
    "Note",
    "Notice",
    "NoticeKind",
    "NoticeQuerySet",
    "Onboarding",
    "OnboardingQuerySet",
    "Origin",
]
