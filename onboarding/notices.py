"""Who is told what by e-mail (R11, R22): notices are written in the transaction of what they tell of, sent later."""

import json
from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from typing import Final

from django.db import connection

from accounts.models import Role
from onboarding.models import Notice, NoticeKind

WHO_SETS_UP: Final = (Role.OWNER, Role.TECHNICAL)
WHO_PAYS: Final = (*WHO_SETS_UP, Role.BILLING)
ROLES: Final[Mapping[NoticeKind, Sequence[Role]]] = {
    NoticeKind.INSTALLED: WHO_SETS_UP,
    NoticeKind.REQUESTED: WHO_SETS_UP,
    NoticeKind.ANSWERED: WHO_SETS_UP,
    NoticeKind.SOON: WHO_PAYS,
    NoticeKind.TOMORROW: WHO_PAYS,
    NoticeKind.EXTENDED: WHO_SETS_UP,
    NoticeKind.ACTIVATED: WHO_PAYS,
}

WARNINGS: Final = (NoticeKind.SOON, NoticeKind.TOMORROW)


def enqueue(
    accounts: Sequence[int],
    kind: NoticeKind,
    *,
    occasion: str,
    now: datetime,
    facts: Mapping[str, str] | None = None,
) -> int:
    """Write a notice for each contact of these accounts whose role cares, in the caller's transaction; return how many.

    A contact with several roles is told once, and of one occasion once: what is written already stays as it is. Only
    where it was dropped as no longer true, and is true again, another is written. Who is switched off is not told. One
    statement, for one account or thousands alike.

    The words are made from `facts` when the notice is sent, by templates/notices. They know `edition`; `activates_on`,
    of which a warning tells; `deadline`, empty where there is none; `wanted_on`; and `answer`. Days are ISO 8601.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO onboarding_notice (account_id, to_id, kind, occasion, facts, created_at, due_at)
            SELECT DISTINCT c.account_id, c.user_id, %(kind)s, %(occasion)s, %(facts)s::jsonb, %(now)s, %(now)s
            FROM accounts_contact c JOIN accounts_user u ON u.id = c.user_id AND u.is_active
            WHERE c.account_id = ANY(%(accounts)s) AND c.role = ANY(%(roles)s)
            ORDER BY c.account_id, c.user_id
            ON CONFLICT DO NOTHING
            """,
            {
                "accounts": list(accounts),
                "kind": kind.value,
                "roles": [role.value for role in ROLES[kind]],
                "occasion": occasion,
                "facts": json.dumps(dict(facts or {})),
                "now": now,
            },
        )
        return cursor.rowcount


def day_told(notice: Notice) -> date | None:
    """Return the day that a notice tells, of an activation to come, a deadline or a wish; None where it tells none."""
    told = next(
        (notice.facts[name] for name in ("activates_on", "deadline", "wanted_on") if notice.facts.get(name)), None
    )
    return date.fromisoformat(told) if told else None


def overtaken(notice: Notice, roles: Collection[str], now: datetime) -> str:
    """Return why a notice is not to be sent any more, in words for the team, or nothing where it is. No query.

    It comes with `to` and `account__onboarding`; `roles` are those of the person on the account now.
    """
    if not notice.to.is_active:
        return "The log-in has been switched off."
    if not set(roles) & set(ROLES[NoticeKind(notice.kind)]):
        return "The person has no role on the account any more that this concerns."
    if notice.kind not in WARNINGS:
        return ""
    mode, day = notice.account.onboarding, day_told(notice)
    if mode.is_active:
        return "The account is active already."
    if day is None or mode.announced_for != day:
        return "The activation was called off, or moved to another day."
    if day < notice.account.day_of(now):
        return "The day has passed."
    return ""
