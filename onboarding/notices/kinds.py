"""The kinds of notices. Everything that depends on the kind of a notice is declared here, once for each kind."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from django.db.models import TextChoices

from accounts.models import Role

EMAIL_KIND: Final = "onboarding.notice"  # the email kind of every notice in the outbox
WHO_SETS_UP: Final = (Role.OWNER, Role.TECHNICAL)
WHO_PAYS: Final = (*WHO_SETS_UP, Role.BILLING)


@dataclass(frozen=True)
class About:
    """The properties of one kind of notice.

    `when` says when it is written. `roles` get it. `page` is the URL name of the page that its link opens for anyone
    who sets up the account; others see only the account's billing. `example` is the data that it carries, as plain
    values. `day` is the key in the data of the day, in ISO 8601, that it announces. A `warning` announces a day that
    may no longer be true when the notice is about to be sent; in that case it is not sent.
    """

    when: str
    roles: Sequence[Role]
    page: str
    example: Mapping[str, str] = field(default_factory=dict)
    day: str = ""
    warning: bool = False


class NoticeKind(TextChoices):
    """What a notice is about."""

    about: About

    def __new__(cls, value: str, about: About) -> "NoticeKind":
        kind = str.__new__(cls, value)
        kind._value_ = value
        kind.about = about
        return kind

    INSTALLED = (
        "installed",
        About(
            when="Contact Center is installed",
            roles=WHO_SETS_UP,
            page="contact_center",
            example={"edition": "Contact Center Pro"},
        ),
        "Contact Center installed",
    )
    REQUESTED = (
        "requested",
        About(
            when="the customer asks to go live",
            roles=WHO_SETS_UP,
            page="go_live",
            example={"wanted_on": "2026-03-17", "note": "Soon?", "requested_by": "Olivia Owner"},
            day="wanted_on",
        ),
        "Request to go live received",
    )
    ANSWERED = (
        "answered",
        About(
            when="the team answers",
            roles=WHO_SETS_UP,
            page="go_live",
            example={"answer": "Your numbers move on Friday.", "wanted_on": "2026-03-17"},
            day="wanted_on",
        ),
        "Request to go live answered",
    )
    SOON = (
        "soon",
        About(
            when="the day of an automatic activation is announced",
            roles=WHO_PAYS,
            page="go_live",
            example={"activates_on": "2026-03-17", "cause": "deadline"},  # or "schedule"
            day="activates_on",
            warning=True,
        ),
        "Activation in 5 business days",
    )
    TOMORROW = (
        "tomorrow",
        About(
            when="that day is the next one",
            roles=WHO_PAYS,
            page="go_live",
            example={"activates_on": "2026-03-17", "cause": "deadline"},
            day="activates_on",
            warning=True,
        ),
        "Activation tomorrow",
    )
    EXTENDED = (
        "extended",
        About(
            when="the deadline is another than before: set, removed, or the policy's again",
            roles=WHO_SETS_UP,
            page="go_live",
            # An empty deadline means that there is none. The reason is for the team only and is not sent.
            example={"deadline": "2026-05-01", "reason": "They are late with everything"},
            day="deadline",
        ),
        "Deadline changed",
    )
    ACTIVATED = (
        "activated",
        About(when="the account becomes active, in whichever way", roles=WHO_PAYS, page="subscription"),
        "Account activated",
    )


def about(kind: str) -> About:
    """Return the properties of the kind with this value."""
    return next(known for known in NoticeKind if known == kind).about


def choices() -> list[tuple[str, str]]:
    """Return the choices of a column. Migrations refer only to this function, so a new kind needs no migration."""
    return NoticeKind.choices
