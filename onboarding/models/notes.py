"""The Onboarding team's internal notes about an account."""

from django.db import models
from django.db.models.functions import Now

from accounts.models import Account, User


class Note(models.Model):
    """A note of a team member about an account (R23). It is never changed, and never shown to customers."""

    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="notes")
    written_at = models.DateTimeField(db_default=Now(), editable=False)
    written_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", editable=False)
    text = models.TextField(max_length=4000)

    class Meta:
        ordering = ["-written_at", "-pk"]

    def __str__(self) -> str:
        return f"Note on {self.account}"
