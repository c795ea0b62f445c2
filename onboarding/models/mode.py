"""The mode of an account that has Contact Center, and the Onboarding team's plan for it."""

from collections.abc import Collection
from datetime import date, datetime, timedelta
from typing import Any

from django.db import models
from django.db.models import Case, DateField, F, Func, IntegerField, Q, Value, When
from django.db.models.functions import Cast
from simple_history.models import HistoricalRecords

from accounts.models import Account, User
from accounts.zones import in_zones, today_in, zones_at

TIMEZONE = "account__timezone"


class Origin(models.TextChoices):
    """Where an activation came from."""

    ADMIN = "admin", "Admin"
    BATCH = "batch", "Batch"
    SCHEDULE = "schedule", "Schedule"


class DeadlineRule(models.TextChoices):
    """What decides when an account's onboarding ends automatically (R11)."""

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

    def with_deadline(self, days: int) -> "OnboardingQuerySet":
        """Annotate the rows with `deadline`, the last day of onboarding in the account's time zone, or None.

        `days` is the policy for all accounts, or 0 for none. `deadlines.deadline_of` computes the same for one row.
        """
        after = Func(
            F("started_on"),
            Cast(Value(days), IntegerField()),
            template="(%(expressions)s)",
            arg_joiner=" + ",
            output_field=DateField(),
        )
        policy = [When(deadline_rule=DeadlineRule.POLICY, then=after)] if days else []
        return self.annotate(
            deadline=Case(
                When(deadline_rule=DeadlineRule.FIXED, then=F("deadline_on")),
                *policy,
                default=None,
                output_field=DateField(),
            )
        )

    def due(self, on: date, *, days: int) -> "OnboardingQuerySet":
        """Accounts in onboarding whose deadline is on this day or earlier."""
        return self.in_onboarding().with_deadline(days).filter(Q(deadline__lte=on))

    def overdue(self, now: datetime, *, days: int) -> "OnboardingQuerySet":
        """Accounts in onboarding whose deadline has passed in their time zone."""
        return self.in_onboarding().with_deadline(days).filter(Q(deadline__lt=today_in(TIMEZONE, now)))

    def due_by_schedule(self, now: datetime, *, blackout: Collection[date] = ()) -> "OnboardingQuerySet":
        """Accounts in onboarding whose scheduled day has begun in their time zone, unless today is a blackout date."""
        today = self.in_onboarding().annotate(today=today_in(TIMEZONE, now))
        return today.filter(Q(scheduled_on__lte=F("today"))).exclude(Q(today__in=blackout))

    def due_by_deadline(
        self, now: datetime, *, days: int, until: int, blackout: Collection[date] = ()
    ) -> "OnboardingQuerySet":
        """Accounts to activate because of their deadline, oldest deadline first.

        The deadline has passed, the announced day has come, and no schedule replaces the deadline. In the account's
        time zone it is between midnight and the hour `until`, on a day that is not a blackout date.
        """
        night = self.overdue(now, days=days).filter(in_zones(TIMEZONE, zones_at(now, until_hour=until)))
        announced = night.annotate(today=today_in(TIMEZONE, now)).filter(
            Q(announced_for__lte=F("today")), scheduled_on=None
        )
        return announced.exclude(Q(today__in=blackout)).order_by(F("deadline"), "started_at", "pk")

    def activated_by_deadline(self, since: datetime) -> "OnboardingQuerySet":
        """Accounts that were activated after an instant by their deadline, not by a schedule."""
        return self.filter(activated_at__gt=since, activated_from=Origin.SCHEDULE, scheduled_on=None)

    def to_be_announced(self, now: datetime, *, days: int, near: timedelta) -> "OnboardingQuerySet":
        """Accounts in onboarding whose activation may have to be announced, announced again, or called off.

        It is announced again the day before. `near` is how far ahead of today activations are announced at most.
        """
        horizon = (now + timedelta(days=1)).date() + near  # one more day, since in some time zones it is tomorrow
        waiting = Q(announced_for=None) & (Q(scheduled_on__lte=horizon) | Q(scheduled_on=None, deadline__lte=horizon))
        stale = ~Q(announced_for=F("scheduled_on")) & Q(scheduled_on__isnull=False) | Q(scheduled_on=None) & (
            Q(deadline=None) | Q(deadline__gte=F("announced_for"))
        )
        tomorrow = Q(announced_for__gt=F("today"), announced_for__lte=F("today") + timedelta(days=1))
        announced = Q(announced_for__isnull=False) & (stale | tomorrow)
        return (
            self.in_onboarding()
            .with_deadline(days)
            .annotate(today=today_in(TIMEZONE, now))
            .filter(waiting | announced)
            .order_by("pk")
        )


class Onboarding(models.Model):
    """The mode of one account: it starts in onboarding when Contact Center is installed, and `activate` ends it once.

    The database refuses a new row that is active, a second activation, and any change of when and by whom the account
    was activated (guards in `onboarding/guards.py`). Days are in the account's time zone. The local days of the start
    and of the activation, which is the first day that is charged (billing policy 5), are stored with their instants and
    never computed again; the database sets them if the writer leaves them out, and refuses any other day.
    `announced_for` is the day of the automatic activation, by schedule or deadline, that contacts were notified of.
    """

    account = models.OneToOneField(Account, on_delete=models.PROTECT, related_name="onboarding")
    started_at = models.DateTimeField("in onboarding since", db_index=True)
    started_on = models.DateField("first day of onboarding", editable=False)
    activated_at = models.DateTimeField(null=True, blank=True, editable=False)
    activated_on = models.DateField("day of activation", null=True, blank=True, editable=False)
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
        verbose_name = "account on the worklist"
        verbose_name_plural = "accounts on the worklist"
        permissions = [("activate_account", "Can activate an account, for good")]
        indexes = [
            models.Index("started_at", "id", condition=Q(activated_at=None), name="onboarding_by_age"),
            models.Index(
                "deadline_on", condition=Q(activated_at=None) & Q(deadline_on__isnull=False), name="own_deadline"
            ),
            models.Index("activated_at", condition=Q(activated_at__isnull=False), name="onboarding_activated"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(activated_at=None, activated_on=None, activated_by=None, activated_from="", reason="")
                | Q(activated_at__isnull=False, activated_on__isnull=False, activated_by__isnull=False)
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

    def save(self, *args: Any, **kwargs: Any) -> None:
        if self.started_on is None:
            self.started_on = self.account.decided_day(self.started_at)
        super().save(*args, **kwargs)

    @property
    def is_active(self) -> bool:
        """Whether the account was activated, and so is charged."""
        return self.activated_at is not None

    @property
    def goes_live_on(self) -> date | None:
        """The day of the automatic activation, if one is scheduled or was announced; None otherwise."""
        return None if self.is_active else self.scheduled_on or self.announced_for

    def age(self, now: datetime) -> timedelta:
        """How long the account has been, or was, in onboarding."""
        return (self.activated_at or now) - self.started_at
