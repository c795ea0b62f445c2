"""The triggers that hold the limits of onboarding, the ledger and the catalogue in the database."""

from django.utils.functional import lazy
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from core.guards import Guard, append_only, read_committed
from onboarding.rules import SEAT_LIMIT, why_package_is_locked

SEATS = format_lazy(_("An account in onboarding can hold at most {limit} concurrent-user seats."), limit=SEAT_LIMIT)
PACKAGE = lazy(why_package_is_locked, str)()
LEDGER = _("The ledger of what was held is never changed or deleted; a change writes new rows.")

GUARDS = [
    Guard("onboarding_seat_limit", "subscriptions_contactcenter", SEATS),
    Guard(
        "onboarding_with_contact_center",
        "subscriptions_contactcenter",
        _("Contact Center is installed together with onboarding mode, never without it."),
    ),
    Guard("onboarding_package_lock", "subscriptions_contactcenter", PACKAGE),
    Guard(
        "contact_center_is_never_deleted", "subscriptions_contactcenter", "A Contact Center is never deleted or moved."
    ),
    Guard("subscriptions_contactcenter_is_kept", "subscriptions_contactcenter", "Contact Centers are never emptied."),
    Guard("contact_center_leaves_history", "subscriptions_contactcenter", "Every change leaves a row of history."),
    Guard("onboarding_ledger_limit", "subscriptions_holding", format_lazy("{} {}", SEATS, PACKAGE)),
    Guard("subscriptions_holding_is_final", "subscriptions_holding", LEDGER),
    Guard("subscriptions_holding_is_kept", "subscriptions_holding", LEDGER),
    Guard("item_is_final", "subscriptions_item", "What an item is never changes, and items are never deleted."),
    Guard("subscriptions_item_is_kept", "subscriptions_item", "The catalogue is never emptied."),
    Guard(
        "price_in_effect_is_final",
        "subscriptions_price",
        "A price that has taken effect never changes: add a new one from a later day.",
    ),
    Guard(
        "price_starts_later",
        "subscriptions_price",
        "A price can be added only from a day that has begun nowhere yet, unless the item had no price until then.",
    ),
    Guard("subscriptions_price_is_kept", "subscriptions_price", "Prices are never emptied."),
    *append_only("subscriptions_change", "The record of a change"),
    *read_committed(
        "subscriptions_change", "subscriptions_contactcenter", "subscriptions_holding", "subscriptions_price"
    ),
    Guard(
        "change_day_is_decided",
        "subscriptions_change",
        _("The day of a change is the local day of its instant, and not before that of the last change or activation."),
    ),
    Guard(
        "activation_follows_changes",
        "onboarding_onboarding",
        "An account can't be activated on a day before that of its last purchase. Try again tomorrow.",
    ),
    *append_only("subscriptions_historicalcontactcenter", "History"),
    *append_only("subscriptions_historicalitem", "History"),
    *append_only("subscriptions_historicalprice", "History"),
]
