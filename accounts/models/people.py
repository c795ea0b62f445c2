"""Service users: the customer's own people, to whom services are assigned."""

from typing import Any

from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower, Now
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from accounts.models.account import Account

MOST_WORDS = 10  # more words of a search are ignored


class ServiceRole(models.TextChoices):
    """The role of a service user in Contact Center (R16)."""

    AGENT = "agent", _("Agent")
    TEAM_LEADER = "team_leader", _("Team Leader")
    OFFICE_MANAGER = "office_manager", _("Office Manager")
    CALL_CENTER_MANAGER = "call_center_manager", _("Call Center Manager")


class ServiceUserQuerySet(models.QuerySet["ServiceUser"]):
    def with_contact_center(self) -> "ServiceUserQuerySet":
        return self.exclude(contact_center_role="")

    def without_contact_center(self) -> "ServiceUserQuerySet":
        return self.filter(contact_center_role="")

    def in_role(self, role: str) -> "ServiceUserQuerySet":
        return self.filter(contact_center_role=role)

    def matching(self, words: str) -> "ServiceUserQuerySet":
        """Service users whose name or email address contains each of the words, in any case and order."""
        found = self
        for word in words.split()[:MOST_WORDS]:
            found = found.filter(Q(name__icontains=word) | Q(email__icontains=word))
        return found


class ServiceUser(models.Model):
    """One of the customer's people. They need no login for HostPilot, and an account may have any number of them."""

    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="service_users")
    name = models.CharField(max_length=200)
    email = models.EmailField("e-mail address")
    contact_center_role = models.CharField(
        "role in Contact Center",
        max_length=24,
        choices=ServiceRole.choices,
        blank=True,
        default="",
        db_default="",
        help_text="Empty: Contact Center is not assigned to this person.",
    )
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    objects = ServiceUserQuerySet.as_manager()
    history = HistoricalRecords()

    class Meta:
        ordering = ["name", "pk"]
        constraints = [
            models.UniqueConstraint(
                "account",
                Lower("email"),
                name="service_user_email_once_per_account",
                violation_error_code="service_user_email_once_per_account",
                violation_error_message=_("Somebody with this e-mail address is already on the list."),
            ),
            models.CheckConstraint(
                condition=Q(contact_center_role__in=["", *ServiceRole.values]),
                name="service_user_role_is_known",
                violation_error_message="Choose one of the roles.",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.email = self.email.lower()
        super().save(*args, **kwargs)

    def clean(self) -> None:
        self.email = self.email.lower()
