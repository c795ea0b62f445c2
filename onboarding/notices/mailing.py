"""Delivers notices from the outbox: whether to send one, to whom and in which words is decided at that time."""

from collections.abc import Sequence
from datetime import datetime

from django.contrib.postgres.expressions import ArraySubquery
from django.core.mail import EmailMultiAlternatives
from django.db.models import OuterRef

from accounts.models import Contact
from core.outbox.kinds import Obsolete
from core.outbox.models import OutgoingEmail
from onboarding.models import Notice
from onboarding.notices.messages import Batch, message
from onboarding.notices.relevance import obsolete_reason


class NoticeBatch(Batch):
    """Notices that the outbox delivers together."""

    def prepare(self, email: OutgoingEmail, now: datetime) -> EmailMultiAlternatives | Obsolete:
        """Return the message of a notice, or why it must no longer be sent, from its current state. One query."""
        [notice] = _read([email])
        roles = vars(notice)["roles"]
        why = obsolete_reason(notice, roles, now)
        return Obsolete(why) if why else message(notice, roles, self)


def open_batch(emails: Sequence[OutgoingEmail]) -> NoticeBatch:
    """Return the batch of the notices whose emails these are. One query."""
    return NoticeBatch(_read(emails))


def _read(emails: Sequence[OutgoingEmail]) -> list[Notice]:
    """Return the notices of these emails, each with its email, recipient, account, and the recipient's `roles` now."""
    roles = Contact.objects.filter(account=OuterRef("account"), user=OuterRef("to")).order_by("role")
    notices = Notice.objects.filter(email__in=emails).select_related("email", "to", "account__onboarding")
    return list(notices.annotate(roles=ArraySubquery(roles.values("role"))).order_by("pk"))
