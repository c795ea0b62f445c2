"""Months that need another look: billed months whose calls came late, and months that were not billed."""

from django.db import models
from django.db.models import Q

from accounts.models import Account
from billing.models.checks import month_check


class LateMonthQuerySet(models.QuerySet["LateMonth"]):
    def open(self) -> "LateMonthQuerySet":
        """Late months whose difference has not been invoiced yet."""
        return self.filter(settled_at=None)


class LateMonth(models.Model):
    """A month whose calls changed after it was billed. The account's next bill carries the difference, and settles it.

    It is open until the difference is invoiced, or found to be zero (billing-policy.md, 11). A call that comes even
    later opens another one.
    """

    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="+", db_index=False)
    month = models.DateField()
    settled_at = models.DateTimeField(null=True)

    objects = LateMonthQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["account", "month"],
                condition=Q(settled_at=None),
                name="a_month_is_late_once_at_a_time",
                violation_error_message="This month of the account is already late.",
            ),
            month_check("late_month_is_a_first"),
        ]

    def __str__(self) -> str:
        return f"{self.account}, {self.month:%B %Y}"


class UnbilledMonth(models.Model):
    """The number of accounts that were not billed for a month that ended a while ago, as last counted (R42).

    A job counts every hour, and a bill run counts its own month. The counts are stored because counting has to look at
    every account. A month for which all accounts were billed has no row.
    """

    month = models.DateField(unique=True)
    accounts = models.PositiveIntegerField()
    counted_at = models.DateTimeField()

    class Meta:
        ordering = ["month"]
        constraints = [month_check("unbilled_month_is_a_first")]

    def __str__(self) -> str:
        return f"{self.month:%B %Y}"
