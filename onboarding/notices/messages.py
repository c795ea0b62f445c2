"""The messages of notices, from templates/notices, in the recipient's language and the account's time zone."""

from collections.abc import Callable, Hashable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.formats import date_format
from django.utils.translation import pgettext

from accounts.models import Account
from core.outbox.sender import sender
from onboarding import rules
from onboarding.models import Notice
from onboarding.notices import kinds
from onboarding.notices.kinds import WHO_SETS_UP, NoticeKind
from onboarding.notices.plain_text import plain_text
from onboarding.notices.relevance import announced_day

R = TypeVar("R")

# Headers that stop automatic replies (RFC 3834, and Exchange's own).
AUTOMATIC: Final[Mapping[str, str]] = {"Auto-Submitted": "auto-generated", "X-Auto-Response-Suppress": "All"}


@dataclass
class Batch:
    """Notices that are worded together, so that the data they need is fetched once for all of them."""

    notices: Sequence[Notice]
    _known: dict[Hashable, Any] = field(default_factory=dict)

    def once(self, what: Hashable, fetch: Callable[[], R]) -> R:
        """Return the result of `fetch`, which is called only the first time that this key is used."""
        if what not in self._known:
            self._known[what] = fetch()
        known: R = self._known[what]
        return known

    @property
    def accounts(self) -> list[int]:
        """The primary keys of the accounts, without duplicates."""
        return sorted({notice.account_id for notice in self.notices})

    @property
    def starts(self) -> dict[tuple[int, date], Account]:
        """The accounts whose charges start, by primary key and the first day charged according to a notice."""
        starts: dict[tuple[int, date], Account] = {}
        for notice in self.notices:
            with suppress(ValueError):  # a notice with an invalid day can't be worded, but the others can
                if day := charged_from(notice):
                    starts[notice.account_id, day] = notice.account
        return starts


def message(notice: Notice, roles: Sequence[str], batch: Batch) -> EmailMultiAlternatives:
    """Return the email of a notice of the batch to its recipient, who has these roles on its account.

    `email`, `to` and `account__onboarding` of the notice must be fetched already. The Message-ID is always the same, so
    that mail systems can recognize a duplicate.
    """
    account = notice.account
    with translation.override(notice.to.language), timezone.override(account.zone):
        context = _context(notice, roles, batch)
        template = f"notices/{notice.kind}.html"
        context["subject"] = one_line(render_to_string(template, {**context, "part": "subject"}))
        html = render_to_string(template, context).strip() + "\n"
    return EmailMultiAlternatives(
        subject=context["subject"],
        body=plain_text(html),
        from_email=sender(),
        to=[notice.to.email],
        alternatives=[(html, "text/html")],
        headers={**AUTOMATIC, "Message-ID": message_id(notice), "Content-Language": notice.to.language},
    )


def charged_from(notice: Notice) -> date | None:
    """Return the first day charged if the notice is about an activation, otherwise None."""
    if notice.kind == NoticeKind.ACTIVATED:
        return notice.account.onboarding.activated_on
    return announced_day(notice) if kinds.about(notice.kind).warning else None


def message_id(notice: Notice) -> str:
    """Return the permanent Message-ID of a notice. The time it was written makes it unique across databases."""
    return f"<notice.{notice.pk}.{notice.email.created_at:%Y%m%d%H%M%S%f}@{urlsplit(settings.SITE_URL).hostname}>"


def one_line(text: str) -> str:
    """Return the text on a single line, since user input may be used in a header."""
    return " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())


def _context(notice: Notice, roles: Sequence[str], batch: Batch) -> dict[str, Any]:
    account = notice.account
    page = kinds.about(notice.kind).page if set(roles) & set(WHO_SETS_UP) else "billing"
    day = charged_from(notice) or announced_day(notice)
    return {
        "notice": notice,
        "batch": batch,
        "company": one_line(account.company),
        "number": account.number,
        "name": one_line(notice.to.first_name),
        "data": notice.data,
        "day": in_words(day) if day else "",
        "charged_from": charged_from(notice),
        "seat_limit": rules.SEAT_LIMIT,
        "package": rules.DEFAULT_PACKAGE,
        "brand": settings.BRAND_NAME,
        "language": notice.to.language,
        "page": page,
        "link": settings.SITE_URL + reverse(page, args=[account.number]),
    }


def in_words(day: date) -> str:
    """Return a day in the active language, like `Tuesday, March 17, 2026`."""
    return date_format(day, pgettext("format of a day, as of Django's date filter", "l, F j, Y"))
