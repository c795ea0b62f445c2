"""Queues and requeues email."""

from collections.abc import Collection, Mapping
from contextlib import suppress
from datetime import datetime
from functools import partial
from typing import Final

from django.conf import settings
from django.db import transaction
from procrastinate.contrib.django import app
from procrastinate.exceptions import AlreadyEnqueued

from core.outbox.delivery import send_now
from core.outbox.models import EmailState, OutgoingEmail

SEND_MAIL: Final = "core.send_mail"  # the job's name in the queue
# The SQL of the primary key of an email that is not queued yet, for a row that refers to it.
NEXT_KEY: Final = "nextval('core_outgoingemail_id_seq')"


def insert_emails(source: str, *, can_wait: bool = False) -> str:
    """Return the SQL that queues one email for each row of `source`, which has the columns `email_id` and `address`.

    If they can wait, all others are sent before them.

    The keys in `email_id` come from NEXT_KEY. The statement takes three named parameters: `email_kind`, `email_data`
    (JSON, the same for all emails) and `email_at`, the instant from which they are due. It returns no rows.
    """
    return (
        "INSERT INTO core_outgoingemail (id, kind, address, data, created_at, due_at, can_wait) "  # noqa: S608 - a query's name
        "SELECT email_id, %(email_kind)s, address, %(email_data)s::jsonb, %(email_at)s, %(email_at)s, "
        f"{can_wait} "
        f"FROM {source} ORDER BY email_id"
    )


def queue(kind: str, *, address: str, data: Mapping[str, object]) -> OutgoingEmail:
    """Queue an email that somebody waits for, due at once, in the caller's transaction, and return it.

    After the commit, a worker is asked to send what is due; with MAIL_WITHOUT_WORKER, this process sends the email.
    """
    email = OutgoingEmail.objects.create(kind=kind, address=address, data=dict(data))
    hurry = partial(send_now, email.pk) if settings.MAIL_WITHOUT_WORKER else _ask_a_worker
    transaction.on_commit(hurry, robust=True)
    return email


def _ask_a_worker() -> None:
    with suppress(AlreadyEnqueued), transaction.atomic():
        app.configure_task(SEND_MAIL).defer()


def requeue(emails: Collection[int], *, kind: str, now: datetime) -> list[int]:
    """Make the emails with these primary keys due now, as if they had never been tried, and return their keys.

    Emails of another kind, emails that were sent or dropped, and those being sent at this moment are left out, so that
    nothing is sent twice.
    """
    with transaction.atomic():
        rows = OutgoingEmail.objects.filter(pk__in=emails, kind=kind, state__in=(EmailState.WAITING, EmailState.FAILED))
        due = list(rows.order_by("pk").select_for_update(skip_locked=True).values_list("pk", flat=True))
        OutgoingEmail.objects.filter(pk__in=due).update(
            state=EmailState.WAITING, settled_at=None, attempts=0, due_at=now
        )
    return due
