"""The catalogue, what accounts hold, and both on the worklist."""

from subscriptions.admin import worklist
from subscriptions.admin.catalogue import ItemAdmin, PriceAdmin
from subscriptions.admin.held import ContactCenterAdmin

__all__ = ["ContactCenterAdmin", "ItemAdmin", "PriceAdmin", "worklist"]
