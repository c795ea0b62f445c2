"""The catalog: items, and their prices with effective dates."""

from datetime import date
from decimal import Decimal

from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator, RegexValidator
from django.db import models
from django.db.models import Exists, OuterRef, Q, Subquery
from simple_history.models import HistoricalRecords

from core.money import money
from subscriptions.kinds import ItemKind, kinds_to_choose_from


class ChargedPer(models.TextChoices):
    """Whether a recurring price is multiplied by the number of seats (billing policy 4)."""

    SEAT = "seat", "Seat"
    ACCOUNT = "account", "Account"


class ItemQuerySet(models.QuerySet["Item"]):
    def priced(self, on: date) -> "ItemQuerySet":
        """Items that have a price on the day, annotated with it as `monthly_price` and `per_minute`."""
        return self.with_price(on).filter(Exists(Price.objects.filter(item=OuterRef("pk"), effective_from__lte=on)))

    def with_price(self, on: date) -> "ItemQuerySet":
        """All items, annotated with their price of the day as `monthly_price` and `per_minute`, or None."""
        price = Price.objects.filter(item=OuterRef("pk"), effective_from__lte=on).order_by("-effective_from")
        return self.annotate(**{name: Subquery(price.values(name)[:1]) for name in ("monthly_price", "per_minute")})

    def of_kind(self, kind: ItemKind) -> "ItemQuerySet":
        return self.filter(kind=kind)


class Item(models.Model):
    """Something that an account can hold. What it is never changes; what it costs may change (see `Price`)."""

    sku = models.CharField(
        "SKU",
        max_length=40,
        unique=True,
        validators=[RegexValidator(r"^[a-z0-9-]+\Z", "An SKU is made of small letters, digits and hyphens.")],
    )
    name = models.CharField(max_length=100)
    name_es = models.CharField(
        "name in Spanish",
        max_length=100,
        blank=True,
        default="",
        db_default="",
        help_text="As customers read it in Spanish, on invoices too. Empty: the name is the same.",
    )
    kind = models.CharField(max_length=16, choices=kinds_to_choose_from)
    charged_per = models.CharField(max_length=16, choices=ChargedPer.choices, default=ChargedPer.ACCOUNT)
    size = models.PositiveIntegerField(
        default=0, help_text="Minutes a month of a toll-free package, gigabytes of recording storage, else 0."
    )
    held_at_install = models.BooleanField(
        default=False,
        help_text="Held from the moment of install: the default package and storage, the Voice channel.",
    )
    only_for = ArrayField(
        models.CharField(max_length=40),
        default=list,
        blank=True,
        help_text="SKUs of the products it is sold with; empty: all of them.",
    )
    withdrawn_from = models.DateField(
        null=True,
        blank=True,
        help_text=(
            "From this day on, in each account's own time zone, only accounts that already have the item can keep it; "
            "nobody else can buy it. Empty: it is on sale."
        ),
    )

    # Set by ItemQuerySet.priced.
    monthly_price: Decimal
    per_minute: Decimal | None

    objects = ItemQuerySet.as_manager()
    history = HistoricalRecords()

    class Meta:
        ordering = ["kind", "size", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "size"],
                condition=Q(kind__in=[ItemKind.STORAGE, ItemKind.PACKAGE], withdrawn_from=None),
                name="one_item_of_a_size",
                violation_error_message="There is already an item of this size on sale.",
            ),
            models.UniqueConstraint(
                fields=["kind"],
                condition=Q(kind__in=[ItemKind.STORAGE, ItemKind.PACKAGE], held_at_install=True),
                name="one_default_of_a_kind",
                violation_error_message="There is already a default storage or package.",
            ),
            models.CheckConstraint(
                condition=~Q(kind=ItemKind.PACKAGE, held_at_install=True) | Q(size=0),
                name="default_package_has_no_minutes",
                violation_error_message="The default toll-free package, Pay-per-use, includes no minutes.",
            ),
            models.CheckConstraint(
                condition=Q(kind__in=[ItemKind.STORAGE, ItemKind.PACKAGE]) | Q(size=0),
                name="only_storage_and_packages_have_a_size",
                violation_error_message="Only storage and toll-free packages have a size.",
            ),
            models.CheckConstraint(
                condition=~Q(kind=ItemKind.PRODUCT) | Q(charged_per=ChargedPer.SEAT, held_at_install=False),
                name="product_is_charged_per_seat",
                violation_error_message="A product is charged per seat, and is not held at install.",
            ),
            models.CheckConstraint(
                condition=Q(held_at_install=False) | Q(withdrawn_from=None),
                name="default_item_stays_on_sale",
                violation_error_message=(
                    "An item that is held from the moment of install can't be withdrawn: every new account gets it."
                ),
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def name_in(self, language: str) -> str:
        """Return the item's name in a language: the one in Spanish if there is one, otherwise `name`."""
        return (self.name_es if language == "es" else "") or self.name

    @property
    def is_per_seat(self) -> bool:
        return self.charged_per == ChargedPer.SEAT

    def is_on_sale(self, day: date) -> bool:
        """Whether an account that doesn't hold it yet may buy it on this local day, provided that it has a price."""
        return self.withdrawn_from is None or day < self.withdrawn_from

    def is_sold_with(self, edition: "Item") -> bool:
        """Whether accounts with this edition can buy it."""
        return not self.only_for or edition.sku in self.only_for


class Price(models.Model):
    """What an item costs from a day on, in each account's own time zone, until its next price (R24).

    A price that has taken effect never changes (guard `price_in_effect_is_final`). A new price is a new row. It starts
    on a day that has not begun anywhere yet, unless the item had no price then (guard `price_starts_later`).
    """

    item = models.ForeignKey(Item, on_delete=models.PROTECT, related_name="prices")
    effective_from = models.DateField()
    monthly_price = models.DecimalField(
        "monthly price, USD", max_digits=10, decimal_places=2, validators=[MinValueValidator(Decimal(0))]
    )
    per_minute = models.DecimalField(
        "price per minute, USD",
        max_digits=8,
        decimal_places=4,
        null=True,
        blank=True,
        validators=[MinValueValidator(Decimal(0))],
        help_text="Toll-free packages only.",
    )

    history = HistoricalRecords()

    class Meta:
        ordering = ["item", "effective_from"]
        constraints = [
            models.UniqueConstraint(
                fields=["item", "effective_from"],
                name="one_price_a_day",
                violation_error_message="The item already has a price from this day.",
            ),
            models.CheckConstraint(
                condition=Q(monthly_price__gte=0) & (Q(per_minute=None) | Q(per_minute__gte=0)),
                name="price_is_not_negative",
                violation_error_message="A price can't be negative.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.item}: {money(self.monthly_price)} from {self.effective_from}"

    def clean(self) -> None:
        item = Item.objects.filter(pk=self.item_id).first()
        if item and (item.kind == ItemKind.PACKAGE) != (self.per_minute is not None):
            raise ValidationError(
                {
                    "per_minute": ValidationError(
                        "Toll-free packages have a price per minute, other items have none.", code="per_minute"
                    )
                }
            )
