"""What is sold and for how much. A price in effect is only read; a new one starts on a later day."""

from datetime import date
from typing import Any

from django.contrib import admin
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.widgets import UnfoldAdminTextInputWidget

from accounts.actions import database_now
from accounts.admin import CarefulInline, HistoryAdmin, ReadOnly, WholeForm
from subscriptions.models import Item, Kind, Price
from subscriptions.rules import first_day_of_a_new_price

IDENTITY = ("sku", "kind", "charged_per", "size", "held_at_install")


class ComingPriceForm(WholeForm):
    def clean_effective_from(self) -> date:
        """Return the day; refused where the price would be in effect already somewhere."""
        day = self.cleaned_data["effective_from"]
        first = first_day_of_a_new_price(database_now())
        if day < first:
            raise ValidationError(
                f"A price starts on a later day than today: {first:%B} {first.day}, {first.year} at the earliest.",
                code="price_starts_later",
            )
        return day


class PricesInEffect(ReadOnly, CarefulInline):
    """Prices that have started, which are final, the latest first."""

    model = Price
    fields = ("effective_from", "monthly_price", "per_minute")
    ordering = ("-effective_from",)
    verbose_name_plural = "Prices that have started"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Price]:
        return super().get_queryset(request).filter(effective_from__lt=first_day_of_a_new_price(database_now()))


class ComingPrices(CarefulInline):
    model = Price
    form = ComingPriceForm
    fields = ("effective_from", "monthly_price", "per_minute")
    ordering = ("effective_from",)
    verbose_name_plural = "Prices to come"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Price]:
        return super().get_queryset(request).filter(effective_from__gte=first_day_of_a_new_price(database_now()))


class ItemForm(WholeForm):
    def clean_only_for(self) -> list[str]:
        """Return the SKUs; refused where one is not that of a product, since then nobody could buy the item."""
        skus = self.cleaned_data["only_for"]
        products = Item.objects.of_kind(Kind.PRODUCT).values_list("sku", flat=True)
        if unknown := set(skus) - set(products):
            raise ValidationError(f"Not the SKU of a product: {', '.join(sorted(unknown))}.", code="unknown_product")
        return skus


@admin.register(Item)
class ItemAdmin(HistoryAdmin):
    """Items with their prices. Who may set prices but not change items sees the item itself read-only."""

    list_display = ("name", "sku", "kind", "charged_per", "size", "monthly_price", "per_minute", "held_at_install")
    list_filter = ("kind", "charged_per", "held_at_install")
    search_fields = ("name", "sku")
    fields = ("name", *IDENTITY, "only_for")
    form = ItemForm
    formfield_overrides = {ArrayField: {"widget": UnfoldAdminTextInputWidget}}
    inlines = (ComingPrices, PricesInEffect)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Item]:
        return super().get_queryset(request).with_price(database_now().date())

    @admin.display(description="monthly price, USD", empty_value="–")
    def monthly_price(self, item: Item) -> Any:
        return item.monthly_price

    @admin.display(description="per minute, USD", empty_value="–")
    def per_minute(self, item: Item) -> Any:
        return item.per_minute

    def has_change_permission(self, request: HttpRequest, obj: Item | None = None) -> bool:
        return self._may_change_items(request) or request.user.has_perm("subscriptions.change_price")

    def _may_change_items(self, request: HttpRequest) -> bool:
        return super().has_change_permission(request)

    def get_readonly_fields(self, request: HttpRequest, obj: Item | None = None) -> Any:
        """Return what the guard `item_is_final` holds; everything, for who may only set prices."""
        fixed: tuple[str, ...] = IDENTITY if obj else ()
        if obj and not self._may_change_items(request):
            fixed = (*IDENTITY, "name", "only_for")
        return (*super().get_readonly_fields(request, obj), *fixed)


@admin.register(Price)
class PriceAdmin(ReadOnly, HistoryAdmin):
    """All prices and their history; they are set on the item's page."""

    list_display = ("item", "effective_from", "monthly_price", "per_minute")
    list_filter = ("item__kind", "effective_from")
    list_select_related = ("item",)
    search_fields = ("item__name", "item__sku")
    fields = ("item", "effective_from", "monthly_price", "per_minute")
    ordering = ("-effective_from", "item")
