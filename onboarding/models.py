"""The mode of an account that has Contact Center, and its customers' requests to go live."""

from datetime import date, datetime, timedelta

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from simple_history.models import HistoricalRecords

from accounts.models import Account, User


class Origin(models.TextChoices):
    """From where an activation came."""

    ADMIN = "admin", "Admin"
    BATCH = "batch", "Batch"
    SCHEDULE = "schedule", "Schedule"


class OnboardingQuerySet(models.QuerySet["Onboarding"]):
    def in_onboarding(self) -> "OnboardingQuerySet":
        return self.filter(activated_at=None)

    def active(self) -> "OnboardingQuerySet":
        return self.exclude(activated_at=None)

    def started_before(self, moment: datetime) -> "OnboardingQuerySet":
        return self.filter(started_at__lt=moment)

    def oldest_first(self) -> "OnboardingQuerySet":
        return self.order_by("started_at", "pk")


class Onboarding(models.Model):
    """The mode of one account: born in onboarding when Contact Center is installed, ended once by `activate`.

    The database refuses a row born active, a second activation, and any change of when and by whom it was
    (guards in `onboarding/guards.py`).
    """

    account = models.OneToOneField(Account, on_delete=models.PROTECT, related_name="onboarding")
    started_at = models.DateTimeField("in onboarding since", db_index=True)
    activated_at = models.DateTimeField(null=True, blank=True, editable=False)
    activated_by = models.ForeignKey(
        User, on_delete=models.PROTECT, related_name="+", null=True, blank=True, editable=False
    )
    activated_from = models.CharField(max_length=16, choices=Origin.choices, blank=True, default="", editable=False)
    reason = models.TextField("reason of the activation", blank=True, default="", editable=False)

    objects = OnboardingQuerySet.as_manager()
    history = HistoricalRecords()

    class Meta:
        verbose_name_plural = "onboarding"
        permissions = [("activate_account", "Can activate an account, for good")]
        constraints = [
            models.CheckConstraint(
                condition=Q(activated_at=None, activated_by=None, activated_from="", reason="")
                | Q(activated_at__isnull=False, activated_by__isnull=False)
                & Q(activated_from__in=Origin.values)
                & ~Q(reason=""),
                name="activation_is_whole",
                violation_error_message="An activation names when, by whom, from where and why.",
            ),
            models.CheckConstraint(
                condition=Q(activated_at=None) | Q(activated_at__gte=models.F("started_at")),
                name="activation_follows_start",
                violation_error_message="An account can't be activated before its onboarding started.",
            ),
        ]

    def __str__(self) -> str:
        return f"Onboarding of {self.account}"

    @property
    def is_active(self) -> bool:
        """Whether the account is live, and charged."""
        return self.activated_at is not None

    @property
    def activated_on(self) -> date | None:
        """The local day of activation, the first that is charged (billing-policy.md, 5)."""
        return self.account.day_of(self.activated_at) if self.activated_at else None

    def age(self, now: datetime) -> timedelta:
        """How long the account has been, or was, in onboarding."""
        return (self.activated_at or now) - self.started_at


class GoLiveRequestQuerySet(models.QuerySet["GoLiveRequest"]):
    def open(self) -> "GoLiveRequestQuerySet":
        """Requests that wait: neither withdrawn nor followed by the activation."""
        return self.filter(withdrawn_at=None, account__onboarding__activated_at=None)


class GoLiveRequest(models.Model):
    """A customer's request that the Onboarding team activate his account (R17)."""

    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="go_live_requests")
    wanted_on = models.DateField("wanted date")
    note = models.TextField(blank=True, max_length=2000)
    requested_at = models.DateTimeField(db_default=Now(), editable=False)
    requested_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", editable=False)
    withdrawn_at = models.DateTimeField(null=True, blank=True, editable=False)
    withdrawn_by = models.ForeignKey(
        User, on_delete=models.PROTECT, related_name="+", null=True, blank=True, editable=False
    )

    objects = GoLiveRequestQuerySet.as_manager()
    history = HistoricalRecords()

    class Meta:
        ordering = ["-requested_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["account"],
                condition=Q(withdrawn_at=None),
                name="one_go_live_request_at_a_time",
                violation_error_code="one_go_live_request_at_a_time",
                violation_error_message="You have already asked to go live. Withdraw that request to ask anew.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.account} asks to go live on {self.wanted_on}"
