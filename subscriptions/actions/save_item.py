"""The action that adds an item to the catalog, or changes one as staff did in the back office."""

from django.db import transaction

from accounts.models import User
from accounts.saving import require_saver
from core.clock import database_now
from core.history import attributed
from subscriptions.catalogue import unknown_products_refusal, withdrawal_refusal
from subscriptions.models import Item


@transaction.atomic
def save_item(item: Item, *, by: User) -> Item:
    """Save a new or changed item and return it. Its prices are set by `set_prices`.

    Raises PermissionDenied without the permission to add or change items. Raises ValidationError if a value is not
    valid, if the item is only for something that is no product, or if it can't be withdrawn from that day.
    """
    require_saver(item, by)
    stored = Item.objects.select_for_update(no_key=True).filter(pk=item.pk).first()
    item.full_clean()
    if refusal := unknown_products_refusal(item.only_for):
        raise refusal
    is_changed = stored and stored.withdrawn_from != item.withdrawn_from
    if is_changed and (refusal := withdrawal_refusal(item, item.withdrawn_from, database_now())):
        raise refusal
    attributed(item, to=by).save()
    return item
