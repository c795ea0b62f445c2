"""The back office's pages for the catalog and for what accounts hold, and our columns of the worklist."""

from subscriptions.admin import worklist
from subscriptions.admin.catalogue import ItemAdmin, PriceAdmin
from subscriptions.admin.held import ContactCenterAdmin

__all__ = ["ContactCenterAdmin", "ItemAdmin", "PriceAdmin", "worklist"]
