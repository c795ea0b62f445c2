from subscriptions.models.catalogue import ChargedPer, Item, ItemQuerySet, Kind, Price
from subscriptions.models.held import MOST_SEATS, Change, ContactCenter, Holding, HoldingQuerySet, Slot

__all__ = [
    "MOST_SEATS",
    "Change",
    "ChargedPer",
    "ContactCenter",
    "Holding",
    "HoldingQuerySet",
    "Item",
    "ItemQuerySet",
    "Kind",
    "Price",
    "Slot",
]
