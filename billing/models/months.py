"""Months that are to be looked at again: billed ones whose calls came late, and ones that nobody billed."""

from django.db import models
from django.db.models import Q

from accounts.models import Account
from billing.models.bills import month_check


class LateMonthQuerySet(models.QuerySet["LateMonth"]):
    def open(self) -> "LateMonthQuerySet":
        """Late months whose difference was not invoiced yet."""
        return self.filter(settled_at=None)


class LateMonth(models.Model):
    """That calls of a month arrived after it was billed: the account's next bill looks at it again, and settles it.

    It is open until the difference is invoiced, or found to be nothing (billing-policy.md, 11); a call that comes still
    later opens another.
    """

    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="+", db_index=False)
    month = models.DateField()
    settled_at = models.DateTimeField(null=True)

    objects = LateMonthQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["account", "month"], condition=Q(settled_at=None), name="a_month_is_late_once_at_a_time"
            ),
            month_check("late_month_is_a_first"),
        ]

    def __str__(self) -> str:
        return f"{self.account}, {self.month:%B %Y}"


class UnbilledMonth(models.Model):
    """How many accounts were not billed for a month that ended a while ago, when it was last counted (R42).

    A job counts each hour, and a bill run its own month: asking takes a look at every account. A month that everybody
    was billed for has no row.
    """

    month = models.DateField(unique=True)
    accounts = models.PositiveIntegerField()
    counted_at = models.DateTimeField()

    class Meta:
        ordering = ["month"]
        constraints = [month_check("unbilled_month_is_a_first")]

    def __str__(self) -> str:
        return f"{self.month:%B %Y}"
