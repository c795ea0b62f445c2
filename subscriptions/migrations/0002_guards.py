"""Triggers: the limits of onboarding, the ledger's finality, and a catalogue that does not change under anyone."""

from django.db import migrations

from core.migration_guards import append_only, guard, kept, leaves_history, sealed

IS_ACTIVE = """
EXISTS (SELECT FROM onboarding_onboarding WHERE account_id = NEW.account_id AND activated_at IS NOT NULL)
"""

SEATS = f"IF NEW.seats > 2 AND NOT {IS_ACTIVE} THEN REFUSE; END IF;"

MODE = """
IF NOT EXISTS (SELECT FROM onboarding_onboarding WHERE account_id = NEW.account_id) THEN REFUSE; END IF;
"""

PACKAGE = f"""
IF NOT EXISTS (SELECT FROM subscriptions_item WHERE id = NEW.package_id AND kind = 'package' AND held_at_install)
    AND NOT {IS_ACTIVE} THEN REFUSE; END IF;
"""

CENTER = """
IF TG_OP = 'DELETE' THEN REFUSE; END IF;
IF (NEW.id, NEW.account_id, NEW.edition_id, NEW.installed_at)
    IS DISTINCT FROM (OLD.id, OLD.account_id, OLD.edition_id, OLD.installed_at)
    OR NEW.version < OLD.version THEN REFUSE; END IF;
"""

LEDGER_LIMIT = f"""
IF NEW.slot IS DISTINCT FROM (
    SELECT CASE kind WHEN 'product' THEN -1 WHEN 'storage' THEN -2 WHEN 'package' THEN -3 ELSE id END
    FROM subscriptions_item WHERE id = NEW.item_id) THEN REFUSE; END IF;
IF ((NEW.slot = -1 AND NEW.quantity > 2) OR (NEW.slot = -3 AND NOT (
        SELECT held_at_install FROM subscriptions_item WHERE id = NEW.item_id)))
    AND NOT {IS_ACTIVE} THEN REFUSE; END IF;
"""

LEDGER = """
IF TG_OP = 'DELETE' THEN REFUSE; END IF;
IF OLD.superseded_by_id IS NOT NULL OR NEW.superseded_by_id IS NULL
    OR (NEW.id, NEW.account_id, NEW.item_id, NEW.slot, NEW.quantity, NEW.period, NEW.change_id)
        IS DISTINCT FROM (OLD.id, OLD.account_id, OLD.item_id, OLD.slot, OLD.quantity, OLD.period, OLD.change_id) THEN
    REFUSE;
END IF;
"""

ITEM = """
IF TG_OP = 'DELETE' THEN REFUSE; END IF;
IF (NEW.id, NEW.sku, NEW.kind, NEW.charged_per, NEW.size, NEW.held_at_install)
    IS DISTINCT FROM (OLD.id, OLD.sku, OLD.kind, OLD.charged_per, OLD.size, OLD.held_at_install) THEN REFUSE; END IF;
"""

# A price takes effect where the day begins first, which is 14 hours before UTC.
PRICE = "IF OLD.effective_from <= (now() AT TIME ZONE 'Pacific/Kiritimati')::date THEN REFUSE; END IF;"


class Migration(migrations.Migration):
    dependencies = [("subscriptions", "0001_initial"), ("onboarding", "0002_guards")]

    operations = [
        guard("onboarding_seat_limit", "subscriptions_contactcenter", "INSERT OR UPDATE", SEATS),
        guard("onboarding_with_contact_center", "subscriptions_contactcenter", "INSERT", MODE),
        guard("onboarding_package_lock", "subscriptions_contactcenter", "INSERT OR UPDATE", PACKAGE),
        guard("contact_center_is_never_deleted", "subscriptions_contactcenter", "UPDATE OR DELETE", CENTER),
        kept("subscriptions_contactcenter"),
        leaves_history(
            "contact_center_leaves_history",
            "subscriptions_contactcenter",
            "subscriptions_historicalcontactcenter",
            ["account_id", "edition_id", "seats", "storage_id", "package_id", "version"],
        ),
        guard("onboarding_ledger_limit", "subscriptions_holding", "INSERT", LEDGER_LIMIT),
        guard("subscriptions_holding_is_final", "subscriptions_holding", "UPDATE OR DELETE", LEDGER),
        kept("subscriptions_holding"),
        guard("item_is_final", "subscriptions_item", "UPDATE OR DELETE", ITEM),
        kept("subscriptions_item"),
        guard("price_in_effect_is_final", "subscriptions_price", "UPDATE OR DELETE", PRICE),
        kept("subscriptions_price"),
        append_only("subscriptions_change"),
        append_only("subscriptions_historicalcontactcenter"),
        append_only("subscriptions_historicalitem"),
        append_only("subscriptions_historicalprice"),
        sealed(),
    ]
