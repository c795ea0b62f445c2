"""The wording of notices: templates/notices, in the language of the person and the days of the account."""

from collections.abc import Callable, Hashable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date
from email.utils import formataddr, parseaddr
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
from onboarding import rules
from onboarding.models import Notice
from onboarding.notices import kinds
from onboarding.notices.kinds import WHO_SETS_UP, NoticeKind
from onboarding.notices.plain_text import plain_text
from onboarding.notices.relevance import announced_day

R = TypeVar("R")

# What out-of-office replies and mailing lists go by (RFC 3834, and Exchange's own).
AUTOMATIC: Final[Mapping[str, str]] = {"Auto-Submitted": "auto-generated", "X-Auto-Response-Suppress": "All"}


@dataclass
class Batch:
    """Notices that are worded together, so that what they need is fetched once for all of them."""

    notices: Sequence[Notice]
    _known: dict[Hashable, Any] = field(default_factory=dict)

    def once(self, what: Hashable, fetch: Callable[[], R]) -> R:
        """Return what `fetch` returned the first time that this was asked for."""
        if what not in self._known:
            self._known[what] = fetch()
        known: R = self._known[what]
        return known

    @property
    def accounts(self) -> list[int]:
        """The keys of the accounts, each once."""
        return sorted({notice.account_id for notice in self.notices})

    @property
    def starts(self) -> dict[tuple[int, date], Account]:
        """The accounts whose charges start, by their keys and the days of which notices tell it."""
        starts: dict[tuple[int, date], Account] = {}
        for notice in self.notices:
            with suppress(ValueError):  # a notice whose day is none has no words; the others have
                if day := charged_from(notice):
                    starts[notice.account_id, day] = notice.account
        return starts


def message(notice: Notice, roles: Sequence[str], batch: Batch) -> EmailMultiAlternatives:
    """Return the e-mail of a notice of the batch, to somebody who has these roles on its account.

    The notice comes with `email`, `to` and `account__onboarding`. Its Message-ID is the same each time, so that mail
    systems can tell a repeat.
    """
    account = notice.account
    with translation.override(notice.to.language), timezone.override(account.zone):
        context = _context(notice, roles, batch)
        template = f"notices/{notice.kind}.html"
        context["subject"] = one_line(render_to_string(template, {**context, "part": "subject"}))
        html = render_to_string(template, context).strip() + "\n"
    sender = parseaddr(settings.DEFAULT_FROM_EMAIL)[1]
    return EmailMultiAlternatives(
        subject=context["subject"],
        body=plain_text(html),
        from_email=formataddr((settings.BRAND_NAME, sender)),
        to=[notice.to.email],
        alternatives=[(html, "text/html")],
        headers={**AUTOMATIC, "Message-ID": message_id(notice), "Content-Language": notice.to.language},
    )


def charged_from(notice: Notice) -> date | None:
    """Return the first day that is charged, by a notice that tells of it; None for others."""
    if notice.kind == NoticeKind.ACTIVATED:
        return notice.account.onboarding.activated_on
    return announced_day(notice) if kinds.about(notice.kind).warning else None


def message_id(notice: Notice) -> str:
    """Return the Message-ID of a notice, permanently; when it was written tells it from one of another database."""
    return f"<notice.{notice.pk}.{notice.email.created_at:%Y%m%d%H%M%S%f}@{urlsplit(settings.SITE_URL).hostname}>"


def one_line(text: str) -> str:
    """Return the text in one line: what somebody wrote may stand in a header."""
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
    """Return a day in the language that is active: `Tuesday, March 17, 2026`."""
    return date_format(day, pgettext("format of a day, as of Django's date filter", "l, F j, Y"))
