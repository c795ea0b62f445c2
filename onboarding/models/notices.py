"""Notices by email: who gets one about what."""

from typing import Any

from django.db import models
from django.db.models import Q

from accounts.models import Account, User
from core.outbox.models import EmailState, OutgoingEmail
from onboarding.notices import kinds


class NoticeQuerySet(models.QuerySet["Notice"]):
    def waiting(self) -> "NoticeQuerySet":
        return self.filter(email__state=EmailState.WAITING)

    def failed(self) -> "NoticeQuerySet":
        """Those that were given up, after days of trying."""
        return self.filter(email__state=EmailState.FAILED)


class Notice(models.Model):
    """An email to one person about one occasion on an account, written in the transaction of what it tells of.

    The email itself, and what became of it, is in the outbox; the notice has its key. One occasion has one notice for a
    person, beside those whose email was dropped, which a trigger marks here. What a notice is about never changes, and
    none is deleted (guards in `onboarding/guards.py`).
    """

    email = models.OneToOneField(OutgoingEmail, on_delete=models.PROTECT, primary_key=True, related_name="+")
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="notices")
    to = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=16, choices=kinds.choices)
    occasion = models.CharField(max_length=64)
    dropped = models.BooleanField(db_default=False, editable=False)

    objects = NoticeQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        permissions = [("send_notice", "Can have a notice sent again")]
        constraints = [
            models.UniqueConstraint(
                fields=["account", "to", "kind", "occasion"],
                condition=Q(dropped=False),
                name="notice_once_per_occasion",
                violation_error_message="This person was told of this already.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}, to {self.to}"

    @property
    def data(self) -> dict[str, Any]:
        """The plain values that the wording needs, of the email, which is fetched with the notice."""
        data: dict[str, Any] = self.email.data
        return data
