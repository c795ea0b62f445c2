"""Which notices there are. Whatever depends on the kind of a notice is declared here, once for each kind."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from django.db.models import TextChoices

from accounts.models import Role

EMAIL_KIND: Final = "onboarding.notice"  # of all of them, in the outbox
WHO_SETS_UP: Final = (Role.OWNER, Role.TECHNICAL)
WHO_PAYS: Final = (*WHO_SETS_UP, Role.BILLING)


@dataclass(frozen=True)
class About:
    """What sets one kind of notice apart.

    `roles` get it. `page` is the URL name of the page that its link opens for anyone who sets the account up; others
    see the account's billing alone. `day` names the value in the notice's data, a day in ISO 8601, that it announces.
    A `warning` announces a day that may no longer be true when its turn comes; then it is not sent.
    """

    roles: Sequence[Role]
    page: str
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

    INSTALLED = "installed", About(WHO_SETS_UP, page="contact_center"), "Contact Center installed"
    REQUESTED = "requested", About(WHO_SETS_UP, page="go_live", day="wanted_on"), "Request to go live received"
    ANSWERED = "answered", About(WHO_SETS_UP, page="go_live", day="wanted_on"), "Request to go live answered"
    SOON = (
        "soon",
        About(WHO_PAYS, page="go_live", day="activates_on", warning=True),
        "Activation in 5 business days",
    )
    TOMORROW = "tomorrow", About(WHO_PAYS, page="go_live", day="activates_on", warning=True), "Activation tomorrow"
    EXTENDED = "extended", About(WHO_SETS_UP, page="go_live", day="deadline"), "Deadline changed"
    ACTIVATED = "activated", About(WHO_PAYS, page="subscription"), "Account activated"


def about(kind: str) -> About:
    """Return what sets this kind apart, by its value."""
    return next(known for known in NoticeKind if known == kind).about


def choices() -> list[tuple[str, str]]:
    """Return the choices of a column. As migrations only name this function, a new kind needs none."""
    return NoticeKind.choices
