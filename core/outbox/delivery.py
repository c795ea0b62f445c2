"""Delivers email that is due (docs/notices.md).

Each email has its own transaction. Once the mail server has accepted the email, only the commit remains to be done.
"""

import logging
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from smtplib import SMTPDataError, SMTPRecipientsRefused, SMTPResponseException
from typing import Final

from django.core.mail import EmailMultiAlternatives, get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.db import transaction

from core.clock import database_now
from core.outbox.kinds import Batches, Obsolete, is_secret
from core.outbox.models import EmailState, OutgoingEmail
from core.refusals import without_nul

logger = logging.getLogger(__name__)
BATCH: Final = 50  # emails over one connection: servers often take no more than a hundred
LONGEST_ERROR: Final = 500


@dataclass(frozen=True)
class RetryPolicy:
    """How long to wait after the first failure, doubled after each further one, and when to give up."""

    first: timedelta
    longest: timedelta
    attempts: int

    def wait(self, attempts: int) -> timedelta | None:
        """Return how long to wait after this number of failed attempts, or None to give up."""
        if attempts >= self.attempts:
            return None
        times: int = 2 ** min(attempts - 1, 30)
        return min(self.first * times, self.longest)


# After 1, 2, 4 … 256 minutes, then every 6 hours, until 5 days and 2 hours have passed.
TRANSIENT: Final = RetryPolicy(timedelta(minutes=1), timedelta(hours=6), 29)
# A server may permanently refuse by mistake, for example for a day, so try a few more times: after 6, 12, 12, 12 hours.
PERMANENT: Final = RetryPolicy(timedelta(hours=6), timedelta(hours=12), 5)


@dataclass
class DeliveryReport:
    """The outcome of a delivery: how many emails were sent, dropped, postponed (`put_off`) and given up (`failed`).

    If the mail server could not be used, `unreachable` says why, and the remaining emails are still due.
    """

    sent: int = 0
    dropped: int = 0
    put_off: int = 0
    failed: int = 0
    unreachable: str = ""

    def __iadd__(self, other: "DeliveryReport") -> "DeliveryReport":
        self.sent += other.sent
        self.dropped += other.dropped
        self.put_off += other.put_off
        self.failed += other.failed
        self.unreachable = other.unreachable
        return self

    @property
    def count(self) -> int:
        """How many emails were processed."""
        return self.sent + self.dropped + self.put_off + self.failed


def send_due(
    now: datetime | None = None, *, mail: BaseEmailBackend | None = None, batch: int = BATCH
) -> DeliveryReport:
    """Send the emails that are due, and return the outcome. Must not be called within a transaction.

    Any number of workers may do this at once, since each email is locked while it is sent and other workers skip it. If
    one email fails, the others are still sent. If the mail server can't be reached, delivery stops and the remaining
    emails stay due. `mail` is the email backend, by default the one in the settings.
    """
    mail = mail or get_connection()
    total = DeliveryReport()
    while not total.unreachable:
        moment = now or database_now()
        done = _send_batch(list(OutgoingEmail.objects.due(moment)[:batch]), mail, moment)
        total += done
        if not done.count:
            break
    return total


def send_now(key: int) -> DeliveryReport:
    """Send the email with this primary key if it is due, and return the outcome. Must not be called in a transaction.

    An email that can't be sent stays due, with the error.
    """
    now = database_now()
    return _send_batch(list(OutgoingEmail.objects.due(now).filter(pk=key)), get_connection(), now)


def checkpoint(name: str) -> None:
    """Do nothing. Tests replace this to kill the process at the named point."""


def _send_batch(emails: list[OutgoingEmail], mail: BaseEmailBackend, now: datetime) -> DeliveryReport:
    """Send these emails over one connection, and return the outcome."""
    done = DeliveryReport()
    batches = Batches(emails)
    lost = 0
    try:
        for email in emails:
            try:
                mail.open()
            except OSError as error:  # the base class of all of smtplib's errors
                done.unreachable = _shown(error)
                break
            lost = lost + 1 if _send(email.pk, batches, mail, now, done) else 0
            if lost > 1:
                done.unreachable = "The mail server ends each connection."
                break
    finally:
        _close(mail)
    if done.unreachable:
        _remark([email.pk for email in emails], done.unreachable)
    return done


def _send(key: int, batches: Batches, mail: BaseEmailBackend, now: datetime, done: DeliveryReport) -> bool:
    """Send one email unless another worker does, and save the outcome; return whether the connection was lost.

    The email is saved as sent first, which is rolled back if sending fails. So once the server has accepted the email,
    only the commit can still fail.
    """
    with transaction.atomic(durable=True):
        email = OutgoingEmail.objects.due(now).filter(pk=key).select_for_update(skip_locked=True).first()
        if email is None:
            return False
        row = OutgoingEmail.objects.filter(pk=key)
        attempts = email.attempts + 1
        try:
            with transaction.atomic():
                message = _prepared(email, batches, now)
                if isinstance(message, Obsolete):
                    done.dropped += row.update(state=EmailState.DROPPED, settled_at=now, error=message.reason)
                    return False
                secret = is_secret(email.kind)
                row.update(
                    state=EmailState.SENT,
                    settled_at=now,
                    attempts=attempts,
                    error="",
                    address=_address(message),
                    subject="" if secret else without_nul(str(message.subject)),
                    body="" if secret else without_nul(str(message.body)),
                )
                checkpoint("before the server")
                if mail.send_messages([message]) != 1:
                    raise OSError("The mail server took no email.")
            checkpoint("after the server")
        except Exception as error:  # the server refused it, or it can't be worded; still send the others
            answer = _answer(error)
            if not isinstance(error, OSError):
                logger.exception("Email %s can't be worded", key)
            wait = _retry_policy(error, answer).wait(attempts)
            if wait is None:
                row.update(state=EmailState.FAILED, settled_at=now, attempts=attempts, error=_shown(error))
                done.failed += 1
            else:
                row.update(due_at=now + wait, attempts=attempts, error=_shown(error))
                done.put_off += 1
            if not isinstance(error, OSError) or answer not in (None, 421):
                return False
            _close(mail)
            return True
        done.sent += 1  # counted before the commit; if that fails, the error ends the run anyway
    return False


class _NotWorded(Exception):
    """What kept an email from being worded; never taken for the mail server's answer."""


def _prepared(email: OutgoingEmail, batches: Batches, now: datetime) -> EmailMultiAlternatives | Obsolete:
    """Return what the app prepared. Raises _NotWorded for an OSError of the app, which is none of the mail server."""
    try:
        return batches.of(email.kind).prepare(email, now)
    except OSError as error:
        raise _NotWorded(f"{type(error).__name__}: {error}") from error


def _address(message: EmailMultiAlternatives) -> str:
    """Return the only address that a message goes to."""
    [address] = message.recipients()
    return without_nul(address)


def _answer(error: Exception) -> int | None:
    """Return the SMTP code that the server answered, or None if it didn't answer."""
    if isinstance(error, SMTPRecipientsRefused):
        return next(code for code, _ in error.recipients.values())
    return error.smtp_code if isinstance(error, SMTPResponseException) else None


def _retry_policy(error: Exception, answer: int | None) -> RetryPolicy:
    """Return the policy: a refusal (5xx) is permanent only if it is about this recipient or this message."""
    of_this = isinstance(error, SMTPRecipientsRefused | SMTPDataError)
    return PERMANENT if of_this and answer is not None and answer >= 500 else TRANSIENT


def _remark(keys: list[int], why: str) -> None:
    """Save the error in these emails, which stay due, except in those that another worker has locked."""
    with transaction.atomic():
        waiting = OutgoingEmail.objects.waiting().filter(pk__in=keys).exclude(error=why)
        waiting = waiting.select_for_update(skip_locked=True)
        OutgoingEmail.objects.filter(pk__in=list(waiting.values_list("pk", flat=True))).update(error=why)


def _shown(error: Exception) -> str:
    """Return an error as one line for the team, in the server's own words if it answered."""
    said = [error]  # type: list[object]
    if isinstance(error, SMTPRecipientsRefused):
        said = list(next(iter(error.recipients.values())))
    elif isinstance(error, SMTPResponseException):
        said = [error.smtp_code, error.smtp_error]
    words = (word.decode("utf-8", "replace") if isinstance(word, bytes) else str(word) for word in said)
    line = " ".join(" ".join(words).split()) or type(error).__name__
    return without_nul(line if isinstance(error, OSError) else f"{type(error).__name__}: {line}")[:LONGEST_ERROR]


def _close(mail: BaseEmailBackend) -> None:
    """Close the connection, if there is one, ignoring errors, since the server may be gone."""
    with suppress(OSError):
        mail.close()
