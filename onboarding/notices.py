"""Who is told what by e-mail (R11, R22): notices are written in the transaction of what they tell of, sent later."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from django.db import connection

from accounts.models import Role
from onboarding.models import NoticeKind

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


def enqueue(
    accounts: Sequence[int],
    kind: NoticeKind,
    *,
    occasion: str,
    now: datetime,
    facts: Mapping[str, str] | None = None,
) -> int:
    """Write a notice for each contact of these accounts whose role cares, in the caller's transaction; return how many.

    A contact with several roles is told once, and of one occasion once: what is written already stays as it is. Who is
    switched off is not told. One statement, for one account or thousands alike.
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
