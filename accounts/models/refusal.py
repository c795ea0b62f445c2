"""The record of what was tried and refused."""

from django.db import models
from django.db.models.functions import Length, Now
from django.db.models.lookups import LessThanOrEqual

from accounts.models.account import Account, customers_of
from accounts.models.user import User
from accounts.verbs import former_names, hidden_from_customers

LONGEST_MESSAGE = 1_000  # characters; a message may repeat what was typed


class RefusalQuerySet(models.QuerySet["Refusal"]):
    def for_customers(self, account: Account) -> "RefusalQuerySet":
        """Return what customers may read of: what the account's contacts tried, and nothing that staff did."""
        hidden = hidden_from_customers()
        former = [name for name, verb in former_names().items() if verb in hidden]
        return self.filter(account=account, by__in=customers_of(account).values("pk")).exclude(
            action__in=[*hidden, *former]
        )


class Refusal(models.Model):
    """One reason why an attempt was refused; an attempt may have several. Rows are only ever added."""

    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="refusals", null=True)
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", null=True)
    at = models.DateTimeField(db_default=Now())
    action = models.CharField(max_length=64, help_text="The verb that was tried.")
    field = models.CharField(max_length=64, blank=True, help_text="What of it was refused.")
    tried = models.CharField(max_length=200, blank=True, help_text="The value that was tried.")
    rule = models.CharField(max_length=64, help_text="The code of the rule that refused it.")
    message = models.TextField(help_text="What the user was told.")

    objects = RefusalQuerySet.as_manager()

    class Meta:
        ordering = ["-at", "-pk"]
        indexes = [
            models.Index(fields=["account", "-at"], name="refusal_of_account"),
            models.Index(fields=["by", "-at"], name="refusal_of_person"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=LessThanOrEqual(Length("message"), LONGEST_MESSAGE),
                name="refusal_message_is_bounded",
                violation_error_message=f"The message of a refusal has at most {LONGEST_MESSAGE:,} characters.",
            )
        ]

    def __str__(self) -> str:
        return self.message
