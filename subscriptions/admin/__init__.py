"""The catalogue, what accounts hold, and the worklist with it."""

from subscriptions.admin.catalogue import ItemAdmin, PriceAdmin
from subscriptions.admin.held import ContactCenterAdmin
from subscriptions.admin.worklist import WorklistOfHeld

__all__ = ["ContactCenterAdmin", "ItemAdmin", "PriceAdmin", "WorklistOfHeld"]
