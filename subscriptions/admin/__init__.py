"""The back office's pages for the catalog and for what accounts hold, and our columns of the worklist."""

from subscriptions.admin.catalogue import ItemAdmin, PriceAdmin
from subscriptions.admin.held import ContactCenterAdmin
from subscriptions.admin.worklist import WorklistOfHeld

__all__ = ["ContactCenterAdmin", "ItemAdmin", "PriceAdmin", "WorklistOfHeld"]
