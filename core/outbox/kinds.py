"""The registry of the kinds of email. Apps register their own kinds; the outbox itself has none."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from django.core.mail import EmailMultiAlternatives

from core.outbox.models import OutgoingEmail


@dataclass(frozen=True)
class Obsolete:
    """The reason, as text for the team, why an email must no longer be sent."""

    reason: str


class Batch(Protocol):
    """Emails of one kind that are delivered together, so that the data they need is fetched once for all of them."""

    def prepare(self, email: OutgoingEmail, now: datetime) -> EmailMultiAlternatives | Obsolete:
        """Return the message of an email of the batch, to one address, or why it must no longer be sent.

        The email's row is locked, and may have changed since the batch was opened. Any exception counts as a failed
        attempt; the other emails are still sent.
        """


OpenBatch = Callable[[Sequence[OutgoingEmail]], Batch]
_KINDS: dict[str, OpenBatch] = {}
_SECRET: set[str] = set()


def register(kind: str, open_batch: OpenBatch, *, is_secret: bool = False) -> None:
    """Register `open_batch`, which makes the batches of this kind of email. Call it from the app's config.

    What a secret kind of email says is never stored, not even after it was sent.
    """
    _KINDS[kind] = open_batch
    if is_secret:
        _SECRET.add(kind)


def is_secret(kind: str) -> bool:
    """Return whether what emails of this kind say must not be stored."""
    return kind in _SECRET


class Batches:
    """The batches of these emails, one for each kind, each opened when it is first needed."""

    def __init__(self, emails: Sequence[OutgoingEmail]) -> None:
        self.emails = emails
        self._opened: dict[str, Batch] = {}

    def of(self, kind: str) -> Batch:
        """Return the batch of one kind. Raises LookupError if no app has registered it."""
        if kind not in self._opened:
            if kind not in _KINDS:
                raise LookupError(f"No app knows emails of the kind {kind}.")
            self._opened[kind] = _KINDS[kind]([email for email in self.emails if email.kind == kind])
        return self._opened[kind]
