"""The queue of outgoing email, with the outcome of each."""

from datetime import datetime

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now


class EmailState(models.TextChoices):
    """The state of an email; only waiting ones are ever sent."""

    WAITING = "waiting", "Waiting"
    SENT = "sent", "Sent"
    DROPPED = "dropped", "Dropped: no longer true"
    FAILED = "failed", "Failed"


class OutgoingEmailQuerySet(models.QuerySet["OutgoingEmail"]):
    def waiting(self) -> "OutgoingEmailQuerySet":
        return self.filter(state=EmailState.WAITING)

    def due(self, now: datetime) -> "OutgoingEmailQuerySet":
        """Emails to send at an instant: those that can wait come last, and of the others the longest due first."""
        return self.waiting().filter(due_at__lte=now).order_by("can_wait", "due_at", "pk")


class OutgoingEmail(models.Model):
    """An email to one address, queued in the transaction of the event that it reports.

    `kind` selects the app's code that words it (`core/outbox/kinds.py`). `data` has plain values that the wording needs
    and that may change later, like a date (ISO 8601) or a reason. `address` is the one the email was queued for, and
    once it was sent, the one it was sent to. Emails that `can_wait`, like the invoices of a run, are sent after others.
    Each failed attempt moves `due_at` to a later time. Sent or dropped emails never change, and none is deleted (guards
    in `core/outbox/guards.py`). Emails that were given up may be requeued.
    """

    kind = models.CharField(max_length=32)
    address = models.CharField(max_length=254)
    data = models.JSONField(default=dict)
    can_wait = models.BooleanField(db_default=False, editable=False)
    created_at = models.DateTimeField(db_default=Now())
    due_at = models.DateTimeField(db_default=Now())
    state = models.CharField(max_length=8, choices=EmailState.choices, db_default=EmailState.WAITING)
    attempts = models.PositiveSmallIntegerField(db_default=0)
    settled_at = models.DateTimeField("sent, dropped or given up at", null=True, blank=True)
    error = models.TextField("last error", blank=True, db_default="")
    subject = models.TextField(blank=True, db_default="")
    body = models.TextField("what was sent", blank=True, db_default="")

    objects = OutgoingEmailQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        default_permissions = ()
        indexes = [
            models.Index("can_wait", "due_at", condition=Q(state="waiting"), name="outgoing_email_is_due"),
            models.Index("settled_at", condition=Q(state="failed"), name="outgoing_email_failed"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(state="waiting", settled_at=None) | ~Q(state="waiting") & Q(settled_at__isnull=False),
                name="outgoing_email_is_settled_once",
                violation_error_message="An email is waiting, or was sent, dropped or given up at a time.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind}, to {self.address}"
