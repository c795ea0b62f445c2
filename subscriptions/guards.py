"""The triggers that enforce the limits of onboarding, and the rules of the ledger and the catalog, in the database."""

from django.utils.functional import lazy
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from core.guards import (
    DeferredGuard,
    Guard,
    StatementGuard,
    append_only,
    keep_keys,
    kept,
    leaves_history,
    read_committed,
)
from onboarding.rules import SEAT_LIMIT, why_package_is_locked

SEATS = format_lazy(_("An account in onboarding can hold at most {limit} concurrent-user seats."), limit=SEAT_LIMIT)
PACKAGE = lazy(why_package_is_locked, str)()
LEDGER = _("The ledger of what was held is never changed or deleted; a change writes new rows.")

IS_ACTIVE = "EXISTS (SELECT FROM onboarding_onboarding WHERE account_id = NEW.account_id AND activated_at IS NOT NULL)"

SEAT_LIMIT_HOLDS = Guard(
    "onboarding_seat_limit",
    "subscriptions_contactcenter",
    "INSERT OR UPDATE",
    f"IF NEW.seats > {SEAT_LIMIT} AND NOT {IS_ACTIVE} THEN REFUSE; END IF;",
    SEATS,
)
INSTALLED_WITH_ONBOARDING = Guard(
    "onboarding_with_contact_center",
    "subscriptions_contactcenter",
    "INSERT",
    """
    IF NOT EXISTS (SELECT FROM onboarding_onboarding WHERE account_id = NEW.account_id) THEN REFUSE; END IF;
    """,
    _("Contact Center is installed together with onboarding mode, never without it."),
)
PACKAGE_IS_LOCKED = Guard(
    "onboarding_package_lock",
    "subscriptions_contactcenter",
    "INSERT OR UPDATE",
    f"""
    IF NOT EXISTS (SELECT FROM subscriptions_item WHERE id = NEW.package_id AND kind = 'package' AND held_at_install)
        AND NOT {IS_ACTIVE} THEN REFUSE; END IF;
    """,
    PACKAGE,
)
CENTER_IS_NEVER_DELETED = Guard(
    "contact_center_is_never_deleted",
    "subscriptions_contactcenter",
    "UPDATE OR DELETE",
    """
    IF TG_OP = 'DELETE' THEN REFUSE; END IF;
    IF (NEW.id, NEW.account_id, NEW.edition_id, NEW.installed_at)
        IS DISTINCT FROM (OLD.id, OLD.account_id, OLD.edition_id, OLD.installed_at)
        OR NEW.version < OLD.version THEN REFUSE; END IF;
    """,
    "A Contact Center is never deleted or moved.",
)
CENTER_LEAVES_HISTORY = leaves_history(
    "contact_center_leaves_history",
    "subscriptions_contactcenter",
    "subscriptions_historicalcontactcenter",
    ["account_id", "edition_id", "seats", "storage_id", "package_id", "version"],
    "Every change leaves a row of history.",
)

LEDGER_LIMIT_HOLDS = Guard(
    "onboarding_ledger_limit",
    "subscriptions_holding",
    "INSERT",
    f"""
    IF NEW.slot IS DISTINCT FROM (
        SELECT CASE kind WHEN 'product' THEN -1 WHEN 'storage' THEN -2 WHEN 'package' THEN -3 ELSE id END
        FROM subscriptions_item WHERE id = NEW.item_id) THEN REFUSE; END IF;
    IF ((NEW.slot = -1 AND NEW.quantity > {SEAT_LIMIT}) OR (NEW.slot = -3 AND NOT (
            SELECT held_at_install FROM subscriptions_item WHERE id = NEW.item_id)))
        AND NOT {IS_ACTIVE} THEN REFUSE; END IF;
    """,
    format_lazy("{} {}", SEATS, PACKAGE),
)
LEDGER_IS_FINAL = Guard(
    "subscriptions_holding_is_final",
    "subscriptions_holding",
    "UPDATE OR DELETE",
    """
    IF TG_OP = 'DELETE' THEN REFUSE; END IF;
    IF OLD.superseded_by_id IS NOT NULL OR NEW.superseded_by_id IS NULL
        OR (NEW.id, NEW.account_id, NEW.item_id, NEW.slot, NEW.quantity, NEW.period, NEW.change_id)
            IS DISTINCT FROM (OLD.id, OLD.account_id, OLD.item_id, OLD.slot, OLD.quantity, OLD.period, OLD.change_id) THEN
        REFUSE;
    END IF;
    """,  # noqa: E501
    LEDGER,
)

# What the rows that a change `c` wrote, or superseded, say about the days before it, as text.
PAST = """(
    SELECT array_agg(format('%s %s %s %s', slot, item_id, quantity, days) ORDER BY slot, item_id, quantity) FROM (
        SELECT slot, item_id, quantity, range_agg(period * daterange(NULL, c.day)) AS days
        FROM subscriptions_holding WHERE {} = c.id AND period && daterange(NULL, c.day) GROUP BY 1, 2, 3) rows)"""
IS_REWRITTEN = f"{PAST.format('change_id')} IS DISTINCT FROM {PAST.format('superseded_by_id')}"
HAS_SUCCESSOR = """EXISTS (
    SELECT FROM subscriptions_change n WHERE n.account_id = c.account_id AND n.version > c.version)"""
WRITTEN_BY_THE_LAST = f"""        OR EXISTS (
            SELECT FROM subscriptions_change c
            WHERE c.id IN (SELECT change_id FROM written) AND (NOT made_now(c.at) OR {HAS_SUCCESSOR}))
"""
SUPERSEDED_NOW = " OR c.id = NEW.change_id OR NOT made_now(c.at)"
STAYS = (
    "A change leaves the days before it as they were: it writes again what it superseded of them, and nothing else. "
)
STAYS += "Only the account's last change writes rows, at the moment it is made."
LEDGER_KEEPS_THE_PAST = StatementGuard(
    "ledger_keeps_the_past",
    "subscriptions_holding",
    "INSERT",
    f"""
    IF EXISTS (
            SELECT FROM written w JOIN subscriptions_change c ON c.id = w.change_id WHERE c.account_id <> w.account_id)
{WRITTEN_BY_THE_LAST}        OR EXISTS (
            SELECT FROM subscriptions_change c WHERE {IS_REWRITTEN} AND c.id IN (
                SELECT w.change_id FROM written w JOIN subscriptions_change n ON n.id = w.change_id
                WHERE lower(w.period) < n.day))
    THEN
        REFUSE;
    END IF;
    """,
    STAYS,
)
SUPERSEDED_BY_ITS_OWN = DeferredGuard(
    "superseded_by_its_own",
    "subscriptions_holding",
    "UPDATE",
    f"""
    IF EXISTS (
        SELECT FROM subscriptions_change c
        WHERE c.id = NEW.superseded_by_id AND (c.account_id <> NEW.account_id{SUPERSEDED_NOW} OR {IS_REWRITTEN}))
    THEN
        REFUSE;
    END IF;
    """,
    STAYS,
)

ITEM_IS_FINAL = Guard(
    "item_is_final",
    "subscriptions_item",
    "UPDATE OR DELETE",
    """
    IF TG_OP = 'DELETE' THEN REFUSE; END IF;
    IF (NEW.id, NEW.sku, NEW.kind, NEW.charged_per, NEW.size, NEW.held_at_install)
        IS DISTINCT FROM (OLD.id, OLD.sku, OLD.kind, OLD.charged_per, OLD.size, OLD.held_at_install) THEN REFUSE; END IF;
    """,  # noqa: E501
    "What an item is never changes, and items are never deleted.",
)

# A day begins first at UTC+14. This is computed without a time zone's name, since time zone data changes.
TODAY = "(clock_timestamp() AT TIME ZONE 'UTC' + interval '14 hours')::date"

PRICE_IS_FINAL = Guard(
    "price_in_effect_is_final",
    "subscriptions_price",
    "UPDATE OR DELETE",
    """
    IF OLD.effective_from <= today OR (TG_OP = 'UPDATE' AND NEW.effective_from <= today) THEN REFUSE; END IF;
    """,
    "A price that has taken effect never changes: add a new one from a later day.",
    declare=f"today date := {TODAY};",
)
# The item is locked before its prices are read, so that two sessions can't both find that it has none.
PRICE_STARTS_LATER = Guard(
    "price_starts_later",
    "subscriptions_price",
    "INSERT",
    f"""
    PERFORM FROM subscriptions_item WHERE id = NEW.item_id FOR NO KEY UPDATE;
    IF NEW.effective_from <= {TODAY}
        AND EXISTS (
            SELECT FROM subscriptions_price
            WHERE item_id = NEW.item_id AND id <> NEW.id AND effective_from <= NEW.effective_from)
        AND NOT writing_history() THEN REFUSE; END IF;
    """,
    "A price can be added only from a day that has begun nowhere yet, unless the item had no price until then.",
)

# If the day is left out, the trigger fills it in. A wrong day is refused, and so is a time zone without rules.
CHANGE_DAY_IS_DECIDED = Guard(
    "change_day_is_decided",
    "subscriptions_change",
    "INSERT",
    """
    NEW.day := coalesce(NEW.day, local_day((SELECT timezone FROM accounts_account WHERE id = NEW.account_id), NEW.at));
    IF NEW.day IS DISTINCT FROM local_day((SELECT timezone FROM accounts_account WHERE id = NEW.account_id), NEW.at)
        OR NOT made_now(NEW.at)
        OR NEW.day < (SELECT max(day) FROM subscriptions_change WHERE account_id = NEW.account_id)
        OR NEW.day < (SELECT activated_on FROM onboarding_onboarding WHERE account_id = NEW.account_id) THEN REFUSE; END IF;
    """,  # noqa: E501
    _(
        "A change is dated when it is made. Its day is the local day of its instant, and not before that of the last "
        "change or activation."
    ),
)
# NOT IN uses a hash lookup, as in `activation_day_is_local`.
ACTIVATION_FOLLOWS_CHANGES = StatementGuard(
    "activation_follows_changes",
    "onboarding_onboarding",
    "UPDATE",
    """
    IF EXISTS (
        SELECT FROM after_rows n
        WHERE n.activated_at IS NOT NULL AND n.id NOT IN (SELECT id FROM before_rows WHERE activated_at IS NOT NULL)
            AND n.activated_on < (
                SELECT c.day FROM subscriptions_change c WHERE c.account_id = n.account_id
                ORDER BY c.version DESC LIMIT 1)
    ) THEN
        REFUSE;
    END IF;
    """,
    "An account can't be activated on a day before that of its last purchase. Try again tomorrow.",
    rows="after_rows",
)

KEYS: list[Guard] = [
    *keep_keys(
        "subscriptions_contactcenter",
        "subscriptions_holding",
        "subscriptions_item",
        "subscriptions_price",
    ),
]
GUARDS: list[Guard] = [
    *KEYS,
    SEAT_LIMIT_HOLDS,
    INSTALLED_WITH_ONBOARDING,
    PACKAGE_IS_LOCKED,
    CENTER_IS_NEVER_DELETED,
    kept("subscriptions_contactcenter", "Contact Centers are never emptied."),
    CENTER_LEAVES_HISTORY,
    LEDGER_LIMIT_HOLDS,
    LEDGER_IS_FINAL,
    LEDGER_KEEPS_THE_PAST,
    SUPERSEDED_BY_ITS_OWN,
    kept("subscriptions_holding", LEDGER),
    ITEM_IS_FINAL,
    kept("subscriptions_item", "The catalogue is never emptied."),
    PRICE_IS_FINAL,
    PRICE_STARTS_LATER,
    kept("subscriptions_price", "Prices are never emptied."),
    *append_only("subscriptions_change", "The record of a change"),
    *read_committed(
        "subscriptions_change", "subscriptions_contactcenter", "subscriptions_holding", "subscriptions_price"
    ),
    CHANGE_DAY_IS_DECIDED,
    ACTIVATION_FOLLOWS_CHANGES,
    *append_only("subscriptions_historicalcontactcenter", "History"),
    *append_only("subscriptions_historicalitem", "History"),
    *append_only("subscriptions_historicalprice", "History"),
]
