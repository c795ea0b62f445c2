"""Items and prices in the back office. Prices in effect are read-only; a new price starts on a later day."""

from datetime import date
from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.db.models import Min, QuerySet
from django.forms import BaseInlineFormSet, ModelForm
from django.forms.formsets import DELETION_FIELD_NAME
from django.http import HttpRequest
from unfold.widgets import UnfoldAdminTextInputWidget

from core.admin import BaseInline, FullCheckForm, HistoryAdmin, ReadOnly
from core.clock import database_now
from core.dates import day_in_words
from core.refusals import show_refusal
from subscriptions.catalogue import item_sale_refusal
from subscriptions.models import Item, ItemKind, ItemQuerySet, Price
from subscriptions.sale import first_day_of_a_new_price, first_day_to_withdraw_from, past_price_refusal

if TYPE_CHECKING:
    PriceFormSet = BaseInlineFormSet[Price, Item, ModelForm[Price]]
else:
    PriceFormSet = BaseInlineFormSet

IDENTITY = ("sku", "kind", "charged_per", "size", "held_at_install")


class ComingPriceFormSet(PriceFormSet):
    """The future prices of an item, and prices for days that have begun if the item had none then (policy 18)."""

    instance: Item

    def clean(self) -> None:
        """Add an error to each price that starts too early, and to the first one if another item has the size."""
        super().clean()
        shown = [form.instance.pk for form in self.forms]
        stored = Price.objects.filter(item=self.instance.pk).exclude(pk__in=shown)
        others = set(stored.values_list("effective_from", flat=True))
        days = {
            form: form.cleaned_data["effective_from"]
            for form in self.forms
            if form.cleaned_data.get("effective_from") and not form.cleaned_data.get(DELETION_FIELD_NAME)
        }
        now = database_now()
        for form, day in days.items():
            beside = others | {other for one, other in days.items() if one is not form}
            if refusal := past_price_refusal(
                self.instance.name, day, others=beside, now=now, is_moved=form.instance.pk is not None
            ):
                show_refusal(form, refusal, at="effective_from")
        first = min(days, key=lambda form: days[form], default=None)
        if first is None or any(other < days[first] for other in others):
            return
        if refusal := item_sale_refusal(self.instance, days[first], self.instance.withdrawn_from):
            show_refusal(first, refusal, at="effective_from")


class PricesInEffect(ReadOnly, BaseInline):
    """Prices that have started, and are final, latest first."""

    model = Price
    fields = ("effective_from", "monthly_price", "per_minute")
    ordering = ("-effective_from",)
    verbose_name_plural = "Prices that have started"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Price]:
        prices: QuerySet[Price] = super().get_queryset(request)
        return prices.filter(effective_from__lt=first_day_of_a_new_price(database_now()))


class ComingPrices(BaseInline):
    model = Price
    formset = ComingPriceFormSet
    fields = ("effective_from", "monthly_price", "per_minute")
    ordering = ("effective_from",)
    verbose_name_plural = "Prices to come"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Price]:
        prices: QuerySet[Price] = super().get_queryset(request)
        return prices.filter(effective_from__gte=first_day_of_a_new_price(database_now()))


class ItemForm(FullCheckForm):
    def clean_only_for(self) -> list[str]:
        """Return the SKUs. Raises ValidationError if one isn't a product's, since then nobody could buy the item."""
        skus: list[str] = self.cleaned_data["only_for"]
        products = Item.objects.of_kind(ItemKind.PRODUCT).values_list("sku", flat=True)
        if unknown := set(skus) - set(products):
            raise ValidationError(f"Not the SKU of a product: {', '.join(sorted(unknown))}.", code="unknown_product")
        return skus

    def clean_withdrawn_from(self) -> date | None:
        """Return the day, or None. Raises ValidationError if it was changed to a day that has ended everywhere."""
        day: date | None = self.cleaned_data["withdrawn_from"]
        first = first_day_to_withdraw_from(database_now())
        if day and day < first and "withdrawn_from" in self.changed_data:
            raise ValidationError(
                f"An item can be withdrawn from {day_in_words(first)} on, not from a day that is over.",
                code="withdrawn_in_the_past",
            )
        return day

    def clean(self) -> dict[str, Any] | None:
        """Return the values, with an error on a changed `withdrawn_from` if two items of one size would be on sale."""
        cleaned = super().clean()
        if self.instance.pk and "withdrawn_from" in self.changed_data and "withdrawn_from" in self.cleaned_data:
            first = self.instance.prices.aggregate(first=Min("effective_from"))["first"]
            if refusal := item_sale_refusal(self.instance, first, self.cleaned_data["withdrawn_from"]):
                show_refusal(self, refusal, at="withdrawn_from")
        return cleaned


@admin.register(Item)
class ItemAdmin(HistoryAdmin):
    """Items with their prices. Anyone who may set prices but not change items sees the item itself read-only."""

    list_display = (
        "name",
        "sku",
        "kind",
        "charged_per",
        "size",
        "monthly_price",
        "per_minute",
        "held_at_install",
        "withdrawn_from",
    )
    list_filter = ("kind", "charged_per", "held_at_install")
    search_fields = ("name", "sku")
    fields = ("name", *IDENTITY, "only_for", "withdrawn_from")
    form = ItemForm
    formfield_overrides = {ArrayField: {"widget": UnfoldAdminTextInputWidget}}
    inlines = (ComingPrices, PricesInEffect)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Item]:
        items: ItemQuerySet = super().get_queryset(request)
        return items.with_price(database_now().date())

    @admin.display(description="monthly price, USD", empty_value="–")
    def monthly_price(self, item: Item) -> Any:
        return item.monthly_price

    @admin.display(description="per minute, USD", empty_value="–")
    def per_minute(self, item: Item) -> Any:
        return item.per_minute

    def has_change_permission(self, request: HttpRequest, obj: Item | None = None) -> bool:
        return self._may_change_items(request) or request.user.has_perm("subscriptions.change_price")

    def _may_change_items(self, request: HttpRequest) -> bool:
        allowed: bool = super().has_change_permission(request)
        return allowed

    def get_readonly_fields(self, request: HttpRequest, obj: Item | None = None) -> Any:
        """Return the fields that the guard `item_is_final` protects, or all for anyone who may only set prices."""
        fixed: tuple[str, ...] = IDENTITY if obj else ()
        if obj and not self._may_change_items(request):
            fixed = (*IDENTITY, "name", "only_for", "withdrawn_from")
        return (*super().get_readonly_fields(request, obj), *fixed)


@admin.register(Price)
class PriceAdmin(ReadOnly, HistoryAdmin):
    """All prices and their history, read-only: prices are set on the item's page."""

    list_display = ("item", "effective_from", "monthly_price", "per_minute")
    list_filter = ("item__kind", "effective_from")
    list_select_related = ("item",)
    search_fields = ("item__name", "item__sku")
    fields = ("item", "effective_from", "monthly_price", "per_minute")
    ordering = ("-effective_from", "item")
