"""Column mappings that were saved for use with later files."""

from django.db import models
from django.db.models.functions import Now

from accounts.models import User


class CallMapping(models.Model):
    """A saved mapping, which says which column of a system's call files is what (R25)."""

    name = models.CharField(max_length=100, unique=True)
    columns = models.JSONField(help_text="Which column is what, by its name or its number.")
    zone = models.CharField("time zone", max_length=63, blank=True, help_text="That of times without an offset.")
    created_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", null=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name
