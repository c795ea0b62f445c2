"""The mode of an account that has Contact Center, and what the Onboarding team plans for it."""

from datetime import date, datetime, timedelta

from django.db import models
from django.db.models import Q
from simple_history.models import HistoricalRecords

from accounts.models import Account, User


class Origin(models.TextChoices):
    """From where an activation came."""

    ADMIN = "admin", "Admin"
    BATCH = "batch", "Batch"
    SCHEDULE = "schedule", "Schedule"


class DeadlineRule(models.TextChoices):
    """What says when an account's onboarding ends by itself (R11)."""

    POLICY = "policy", "The policy of all accounts"
    FIXED = "fixed", "A date of its own"
    NONE = "none", "No deadline"


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
    (guards in `onboarding/guards.py`). Days are the account's own. `announced_for` is the day that customers were told
    on which the account becomes active by itself, by its schedule or its deadline.
    """

    account = models.OneToOneField(Account, on_delete=models.PROTECT, related_name="onboarding")
    started_at = models.DateTimeField("in onboarding since", db_index=True)
    activated_at = models.DateTimeField(null=True, blank=True, editable=False)
    activated_by = models.ForeignKey(
        User, on_delete=models.PROTECT, related_name="+", null=True, blank=True, editable=False
    )
    activated_from = models.CharField(max_length=16, choices=Origin.choices, blank=True, default="", editable=False)
    reason = models.TextField("reason of the activation", blank=True, default="", editable=False)
    owner = models.ForeignKey(
        User, on_delete=models.PROTECT, related_name="+", null=True, blank=True, verbose_name="owner on the team"
    )
    deadline_rule = models.CharField(
        max_length=8, choices=DeadlineRule.choices, default=DeadlineRule.POLICY, db_default=DeadlineRule.POLICY
    )
    deadline_on = models.DateField("its own deadline", null=True, blank=True)
    deadline_reason = models.TextField("reason of the deadline", blank=True, default="", db_default="")
    scheduled_on = models.DateField("activation scheduled for", null=True, blank=True)
    scheduled_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", null=True, blank=True)
    schedule_reason = models.TextField("reason of the schedule", blank=True, default="", db_default="")
    announced_for = models.DateField("activation announced for", null=True, blank=True, editable=False)

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
            models.CheckConstraint(
                condition=Q(deadline_rule=DeadlineRule.POLICY, deadline_on=None, deadline_reason="")
                | Q(deadline_rule=DeadlineRule.FIXED, deadline_on__isnull=False) & ~Q(deadline_reason="")
                | Q(deadline_rule=DeadlineRule.NONE, deadline_on=None) & ~Q(deadline_reason=""),
                name="deadline_is_whole",
                violation_error_message="A deadline of its own, or none, has a reason.",
            ),
            models.CheckConstraint(
                condition=Q(scheduled_on=None, scheduled_by=None, schedule_reason="")
                | Q(scheduled_on__isnull=False, scheduled_by__isnull=False) & ~Q(schedule_reason=""),
                name="schedule_is_whole",
                violation_error_message="A scheduled activation names the day, who scheduled it and why.",
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
