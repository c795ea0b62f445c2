"""Enqueues notices for an account's contacts (R11, R22).

A notice is written in the transaction of the event that it reports, and sent later.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from django.db import connection

from core.outbox.queue import NEXT_KEY, insert_emails
from onboarding.notices.kinds import EMAIL_KIND, NoticeKind

# The keys are drawn in the order of the contacts, so that notices of one statement are written and sent in this order.
ENQUEUE: Final = f"""
WITH contacts AS (
    SELECT DISTINCT c.account_id, c.user_id, u.email AS address
    FROM accounts_contact c JOIN accounts_user u ON u.id = c.user_id AND u.is_active
    WHERE c.account_id = ANY(%(accounts)s) AND c.role = ANY(%(roles)s)
    ORDER BY c.account_id, c.user_id
), keyed AS (
    SELECT {NEXT_KEY} AS email_id, account_id, user_id, address FROM contacts
), written AS (
    INSERT INTO onboarding_notice (email_id, account_id, to_id, kind, occasion)
    SELECT email_id, account_id, user_id, %(kind)s, %(occasion)s FROM keyed ORDER BY email_id
    ON CONFLICT DO NOTHING RETURNING email_id
), emails AS (
    SELECT email_id, address FROM keyed JOIN written USING (email_id)
)
{insert_emails("emails")}
"""  # noqa: S608 - names of columns


def enqueue(
    accounts: Sequence[int],
    kind: NoticeKind,
    *,
    occasion: str,
    now: datetime,
    data: Mapping[str, str] | None = None,
) -> int:
    """Write a notice for each contact of these accounts whose role gets this kind, and return how many were written.

    This is one statement in the caller's transaction, for one account or thousands. A contact gets one notice for each
    occasion, even with several roles, and an existing notice is not changed. Only if the existing one was dropped
    because it was no longer true is another one written. Deactivated users get none.

    The notice is worded from `data` when it is sent; `onboarding/notices/kinds.py` has an example for each kind.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            ENQUEUE,
            {
                "accounts": list(accounts),
                "kind": kind.value,
                "roles": [role.value for role in kind.about.roles],
                "occasion": occasion,
                "email_kind": EMAIL_KIND,
                "email_data": json.dumps(dict(data or {})),
                "email_at": now,
            },
        )
        written: int = cursor.rowcount
        return written
