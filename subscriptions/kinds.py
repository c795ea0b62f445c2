"""The kinds of items, in one table. Everything that treats them alike goes through it instead of naming them.

A new kind that customers switch on and off is a member of ItemKind and a row of KINDS. The catalog file, the
subscription and its form, pages, refusals, the ledger, bills and what customers read all follow from that.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from django.db import models
from django.utils.translation import gettext_lazy as _

from core.guards import LazyStr


class ItemKind(models.TextChoices):
    """The part of the catalog that an item belongs to."""

    PRODUCT = "product", _("Product")
    CHANNEL = "channel", _("Channel")
    ADDON = "addon", _("Add-on")
    STORAGE = "storage", _("Recording storage")
    PACKAGE = "package", _("Toll-free package")


@dataclass(frozen=True)
class Kind:
    """What sets a kind of items apart from the others.

    `section` is its list in a catalog file, and `field` what an account holds of it: in forms, refusals and
    `Subscription`. Of a kind with `is_switched`, an account holds any number of items, each either on or off, in a slot
    of the ledger of its own; of any other kind it holds one. `plural` is the heading of the items that are switched. If
    `may_be_left_out`, a catalog file without the section is complete: files made before there was the kind.
    """

    kind: ItemKind
    section: str
    field: str
    plural: LazyStr = ""
    is_switched: bool = False
    may_be_left_out: bool = False


# In the order of pages, catalog files and bills.
KINDS: Final = (
    Kind(ItemKind.PRODUCT, section="products", field="edition"),
    Kind(ItemKind.CHANNEL, section="channels", field="channels", plural=_("Channels"), is_switched=True),
    Kind(ItemKind.ADDON, section="addons", field="addons", plural=_("Add-ons"), is_switched=True),
    Kind(ItemKind.STORAGE, section="recording_storage", field="storage"),
    Kind(ItemKind.PACKAGE, section="toll_free_packages", field="package"),
)
SWITCHED: Final = tuple(kind for kind in KINDS if kind.is_switched)
CHOSEN: Final = tuple(kind for kind in KINDS if kind.kind != ItemKind.PRODUCT)  # by a purchase; an install chooses that
# The heading of the items of all these kinds in one list.
SWITCHED_TOGETHER: Final = _("Channels and add-ons")

ORDER_ON_BILL: Final = {str(kind.kind): place for place, kind in enumerate(KINDS)}


def kinds_to_choose_from() -> Sequence[tuple[str, LazyStr]]:
    """Return the choices of a column with a kind. Migrations name this function, so a new kind needs none."""
    return ItemKind.choices


def switched_in_words() -> str:
    """Return the kinds that are switched on and off as part of a sentence: `channels, add-ons`."""
    return ", ".join(str(kind.plural).lower() for kind in SWITCHED)


def by_field(items: Iterable[tuple[str, str]]) -> dict[str, frozenset[str]]:
    """Return the SKUs of the items of kinds that are switched on and off, by field. An item is an SKU and its kind."""
    items = list(items)
    return {kind.field: frozenset(sku for sku, own in items if own == kind.kind) for kind in SWITCHED}
