"""Items and prices in the back office. Prices in effect are read-only; a new price starts on a later day."""

from typing import TYPE_CHECKING, Any, cast

from django.contrib import admin
from django.contrib.postgres.fields import ArrayField
from django.db.models import Model, QuerySet
from django.forms import BaseInlineFormSet, ModelForm
from django.forms.formsets import DELETION_FIELD_NAME
from django.http import HttpRequest
from unfold.widgets import UnfoldAdminTextInputWidget

from accounts.models import User
from core.admin import BaseInline, FullCheckForm, HistoryAdmin, ReadOnly, Writes
from core.clock import database_now
from core.refusals import show_refusal
from subscriptions.actions import save_item, set_prices
from subscriptions.catalogue import price_refusals, unknown_products_refusal, withdrawal_refusal
from subscriptions.models import Item, ItemQuerySet, Price
from subscriptions.sale import first_day_of_a_new_price

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
        forms = [form for form in self.forms if form.cleaned_data.get("effective_from")]
        removed = [form.instance for form in forms if form.cleaned_data.get(DELETION_FIELD_NAME)]
        saved = [form.instance for form in forms if not form.cleaned_data.get(DELETION_FIELD_NAME)]
        for price, refusal in price_refusals(self.instance, saved, removed=removed, now=database_now()):
            show_refusal(next(form for form in forms if form.instance is price), refusal, at="effective_from")


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
        if refusal := unknown_products_refusal(skus):
            raise refusal
        return skus

    def clean(self) -> dict[str, Any] | None:
        """Return the values, with an error on a changed `withdrawn_from` from which the item can't be withdrawn."""
        cleaned = super().clean()
        is_valid = "withdrawn_from" in self.cleaned_data
        if self.instance.pk and is_valid and "withdrawn_from" in self.changed_data:
            day = self.cleaned_data["withdrawn_from"]
            if refusal := withdrawal_refusal(self.instance, day, database_now()):
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
    fields = ("name", "name_es", *IDENTITY, "only_for", "withdrawn_from")
    form = ItemForm
    formfield_overrides = {ArrayField: {"widget": UnfoldAdminTextInputWidget}}
    inlines = (ComingPrices, PricesInEffect)
    writes = {Item: Writes(save_item)}

    def get_queryset(self, request: HttpRequest) -> QuerySet[Item]:
        items: ItemQuerySet = super().get_queryset(request)
        return items.with_price(database_now().date())

    def save_rows(self, request: HttpRequest, model: type[Model], saved: list[Any], removed: list[Any]) -> None:
        """Set the prices together: whether one can start depends on the others."""
        first = (saved or removed)[0]
        set_prices(first.item, saved, removed=removed, by=cast(User, request.user))

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
            fixed = (*IDENTITY, "name", "name_es", "only_for", "withdrawn_from")
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
