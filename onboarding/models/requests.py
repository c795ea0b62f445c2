"""Customers' requests to go live."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from accounts.models import Account, User


class GoLiveRequestQuerySet(models.QuerySet["GoLiveRequest"]):
    def open(self) -> "GoLiveRequestQuerySet":
        """Requests that were neither withdrawn nor answered, of accounts that are still in onboarding."""
        return self.filter(withdrawn_at=None, answered_at=None, account__onboarding__activated_at=None)

    def settled(self) -> "GoLiveRequestQuerySet":
        """Requests that were withdrawn or answered."""
        return self.exclude(withdrawn_at=None, answered_at=None)


class GoLiveRequest(models.Model):
    """A customer's request that the Onboarding team activate their account (R17)."""

    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="go_live_requests")
    wanted_on = models.DateField("wanted date")
    note = models.TextField(blank=True, max_length=2000)
    requested_at = models.DateTimeField(db_default=Now(), editable=False)
    requested_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", editable=False)
    withdrawn_at = models.DateTimeField(null=True, blank=True, editable=False)
    withdrawn_by = models.ForeignKey(
        User, on_delete=models.PROTECT, related_name="+", null=True, blank=True, editable=False
    )
    answered_at = models.DateTimeField(null=True, blank=True, editable=False)
    answered_by = models.ForeignKey(
        User, on_delete=models.PROTECT, related_name="+", null=True, blank=True, editable=False
    )
    answer = models.TextField(blank=True, default="", db_default="", max_length=2000, editable=False)

    objects = GoLiveRequestQuerySet.as_manager()
    history = HistoricalRecords()

    class Meta:
        ordering = ["-requested_at"]
        indexes = [
            models.Index("wanted_on", condition=Q(withdrawn_at=None, answered_at=None), name="go_live_wanted"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["account"],
                condition=Q(withdrawn_at=None, answered_at=None),
                name="one_go_live_request_at_a_time",
                violation_error_code="one_go_live_request_at_a_time",
                violation_error_message=_("You have already asked to go live. Withdraw that request to ask anew."),
            ),
            models.CheckConstraint(
                condition=Q(answered_at=None, answered_by=None, answer="")
                | Q(answered_at__isnull=False, answered_by__isnull=False) & ~Q(answer=""),
                name="answer_is_whole",
                violation_error_message="An answer has words, and names who gave it and when.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.account} asks to go live on {self.wanted_on}"
