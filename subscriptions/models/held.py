"""What an account holds now, and the dated ledger of what it held on each day."""

from datetime import date

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateRangeField, RangeOperators
from django.db import models
from django.db.models import F, Func, Q, Value
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from accounts.models import Account, User
from subscriptions.kinds import ItemKind
from subscriptions.models.catalogue import Item

MOST_SEATS = 100_000
MEANWHILE = _("Somebody else changed the subscription at the same moment. Look at it again.")


class ContactCenter(models.Model):
    """The Contact Center of an account, with what the account holds now.

    The channels, add-ons and whatever else is switched on now are the ledger's open rows. `version` counts the changes;
    a confirmation that was made for one version is stale for the next.
    """

    account = models.OneToOneField(Account, on_delete=models.PROTECT, related_name="contact_center")
    edition = models.ForeignKey(
        Item, on_delete=models.PROTECT, related_name="+", limit_choices_to={"kind": ItemKind.PRODUCT}
    )
    seats = models.PositiveIntegerField("concurrent-user seats", default=0, db_default=0)
    storage = models.ForeignKey(
        Item, on_delete=models.PROTECT, related_name="+", limit_choices_to={"kind": ItemKind.STORAGE}
    )
    package = models.ForeignKey(
        Item,
        on_delete=models.PROTECT,
        related_name="+",
        limit_choices_to={"kind": ItemKind.PACKAGE},
        verbose_name="toll-free package",
    )
    version = models.PositiveIntegerField(default=0, db_default=0)
    installed_at = models.DateTimeField()

    history = HistoricalRecords()

    class Meta:
        verbose_name = "Contact Center"
        verbose_name_plural = "Contact Centers"
        constraints = [
            models.CheckConstraint(
                condition=Q(seats__gte=0, seats__lte=MOST_SEATS),
                name="seats_are_possible",
                violation_error_message=f"Seats are a number from 0 to {MOST_SEATS:,}.",
            ),
        ]

    def __str__(self) -> str:
        return f"Contact Center of {self.account}"


class SubscriptionChange(models.Model):
    """One accepted change of what an account holds, to which its ledger rows refer. Never changed or deleted.

    `confirmation` is the key of the purchase form that was confirmed. It is unique, so no form can buy twice (I14).
    """

    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="changes")
    version = models.PositiveIntegerField()
    confirmation = models.UUIDField(null=True, unique=True)
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()
    day = models.DateField(help_text="The local day of the change, decided when it was made.")

    class Meta:
        db_table = "subscriptions_change"
        ordering = ["account", "version"]
        constraints = [
            models.UniqueConstraint(
                fields=["account", "version"],
                name="one_change_a_version",
                violation_error_message=MEANWHILE,
            )
        ]

    def __str__(self) -> str:
        return f"Change {self.version} of {self.account}"


class Slot(models.IntegerChoices):
    """The slots of the ledger, each of which has at most one valid row for a day.

    The product, the storage and the package each have one slot, in which items of that kind replace each other. Each
    item of a kind that is switched on and off has its own slot, whose number is the item's key.
    """

    PRODUCT = -1
    STORAGE = -2
    PACKAGE = -3


class HoldingQuerySet(models.QuerySet["Holding"]):
    def valid(self) -> "HoldingQuerySet":
        """The current rows of the ledger, without those that a later change superseded."""
        return self.filter(superseded_by=None)

    def open(self) -> "HoldingQuerySet":
        """What is held until somebody changes it: the valid rows without an end."""
        return self.valid().filter(period__endswith=None)

    def on(self, day: date) -> "HoldingQuerySet":
        """What counts as held on a day."""
        return self.valid().filter(period__contains=day)


class Holding(models.Model):
    """A row of the ledger: this quantity of an item counts as held on each day of `period` (local days, end exclusive).

    Recurring charges are computed from these rows alone. The quantity of a day is the highest of that day, and a
    smaller package waits for the 1st (billing policy 2–4 and 10), so a row may begin after the day of its change. Rows
    are never altered or deleted: a change affects only days from today on, supersedes the rows that cover them, and
    writes new ones.
    """

    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="holdings")
    item = models.ForeignKey(Item, on_delete=models.PROTECT, related_name="+")
    slot = models.BigIntegerField(help_text="The place in the ledger; two rows of a place never overlap.")
    quantity = models.PositiveIntegerField(help_text="Seats of the product, else 1.")
    period = DateRangeField()
    change = models.ForeignKey(SubscriptionChange, on_delete=models.PROTECT, related_name="written")
    superseded_by = models.ForeignKey(
        SubscriptionChange, on_delete=models.PROTECT, related_name="superseded", null=True
    )

    objects = HoldingQuerySet.as_manager()

    class Meta:
        ordering = ["account", "slot", "period"]
        constraints = [
            ExclusionConstraint(
                name="holdings_never_overlap",
                expressions=[
                    (Func(F("account"), F("account"), Value("[]"), function="int8range"), RangeOperators.OVERLAPS),
                    (Func(F("slot"), F("slot"), Value("[]"), function="int8range"), RangeOperators.OVERLAPS),
                    ("period", RangeOperators.OVERLAPS),
                ],
                condition=Q(superseded_by=None),
                violation_error_message=MEANWHILE,
            ),
            models.CheckConstraint(
                condition=Q(period__isempty=False, period__startswith__isnull=False),
                name="holding_has_a_period",
                violation_error_message="A period of what is held must end after it starts.",
            ),
            models.CheckConstraint(
                condition=Q(quantity__gte=1, quantity__lte=MOST_SEATS) & (Q(slot=Slot.PRODUCT) | Q(quantity=1)),
                name="holding_quantity_is_possible",
                violation_error_message=f"An account holds at most {MOST_SEATS:,} seats, and one of any other item.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} × {self.item} {self.period}"
