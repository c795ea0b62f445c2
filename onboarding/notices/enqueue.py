"""Who gets a notice of what (R11, R22): each is written in the transaction of its event, and sent later."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime

from django.db import connection

from onboarding.notices.kinds import NoticeKind


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
                "roles": [role.value for role in kind.about.roles],
                "occasion": occasion,
                "facts": json.dumps(dict(facts or {})),
                "now": now,
            },
        )
        return cursor.rowcount
