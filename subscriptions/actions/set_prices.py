"""The action that sets an item's prices to come (R24; billing policy 18)."""

from collections.abc import Collection, Sequence

from django.core.exceptions import ValidationError
from django.db import transaction

from accounts.models import User
from accounts.roles import NOT_YOURS, require_staff
from core.clock import database_now
from core.history import attributed
from subscriptions.catalogue import price_refusals
from subscriptions.models import Item, Price


@transaction.atomic
def set_prices(item: Item, saved: Sequence[Price], *, removed: Collection[Price] = (), by: User) -> None:
    """Save these new and changed prices of the item and remove the others, all or none. The item is locked.

    Raises PermissionDenied without the permission to add, change or delete prices, whichever it takes. Raises
    ValidationError if a price starts or started on a day that has begun and had a price, if two start on one day, or if
    another item of the size is on sale.
    """
    for permission, prices in (
        ("add", [price for price in saved if price.pk is None]),
        ("change", [price for price in saved if price.pk]),
        ("delete", removed),
    ):
        if prices:
            require_staff(by, f"subscriptions.{permission}_price", NOT_YOURS)
    item = Item.objects.select_for_update(no_key=True).get(pk=item.pk)
    refusals = [refusal for _, refusal in price_refusals(item, saved, removed=removed, now=database_now())]
    if refusals:
        raise ValidationError(refusals)
    for price in removed:
        attributed(price, to=by).delete()
    for price in saved:
        price.item = item
        price.full_clean()
        attributed(price, to=by).save()
