from subscriptions.kinds import ItemKind
from subscriptions.models.catalogue import ChargedPer, Item, ItemQuerySet, Price
from subscriptions.models.held import MOST_SEATS, ContactCenter, Holding, HoldingQuerySet, Slot, SubscriptionChange

__all__ = [
    "MOST_SEATS",
    "ChargedPer",
    "ContactCenter",
    "Holding",
    "HoldingQuerySet",
    "Item",
    "ItemKind",
    "ItemQuerySet",
    "Price",
    "Slot",
    "SubscriptionChange",
]
