"""Notices by email: who gets one about what, and what became of it."""

from datetime import datetime

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from accounts.models import Account, User
from onboarding.notices import kinds


class NoticeState(models.TextChoices):
    """What became of a notice; only one that waits is ever sent."""

    WAITING = "waiting", "Waiting"
    SENT = "sent", "Sent"
    DROPPED = "dropped", "Dropped: no longer true"
    FAILED = "failed", "Failed"


class NoticeQuerySet(models.QuerySet["Notice"]):
    def waiting(self) -> "NoticeQuerySet":
        return self.filter(state=NoticeState.WAITING)

    def failed(self) -> "NoticeQuerySet":
        """Those that were given up, after days of trying."""
        return self.filter(state=NoticeState.FAILED)

    def due(self, now: datetime) -> "NoticeQuerySet":
        """Those to send at an instant, the longest due first."""
        return self.waiting().filter(due_at__lte=now).order_by("due_at", "pk")


class Notice(models.Model):
    """An e-mail to one person about one occasion on an account, written in the transaction of what it tells of.

    The table is the queue: a row waits until it was sent, and one occasion has one row for a person, beside those that
    were dropped. `facts` are plain values the words need and that may change later, like a date (ISO 8601) or a reason.
    `due_at` moves on with each attempt that failed. One that was sent or dropped never changes, and none is deleted
    (guards in `onboarding/guards.py`); one that was given up may be made to wait again.
    """

    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="notices")
    to = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=16, choices=kinds.choices)
    occasion = models.CharField(max_length=64)
    facts = models.JSONField(default=dict)
    created_at = models.DateTimeField(db_default=Now())
    due_at = models.DateTimeField(db_default=Now())
    state = models.CharField(max_length=8, choices=NoticeState.choices, db_default=NoticeState.WAITING)
    attempts = models.PositiveSmallIntegerField(db_default=0)
    settled_at = models.DateTimeField("sent, dropped or given up at", null=True, blank=True)
    error = models.TextField("last error", blank=True, db_default="")
    subject = models.TextField(blank=True, db_default="")
    body = models.TextField("what was sent", blank=True, db_default="")

    objects = NoticeQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        permissions = [("send_notice", "Can have a notice sent again")]
        indexes = [
            models.Index("due_at", condition=Q(state="waiting"), name="notice_due"),
            models.Index("settled_at", condition=Q(state="failed"), name="notice_failed"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["account", "to", "kind", "occasion"],
                condition=~Q(state="dropped"),
                name="notice_once_per_occasion",
                violation_error_message="This person was told of this already.",
            ),
            models.CheckConstraint(
                condition=Q(state="waiting", settled_at=None) | ~Q(state="waiting") & Q(settled_at__isnull=False),
                name="notice_is_settled_once",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}, to {self.to}"
