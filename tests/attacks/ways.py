"""The table of attacks: invariant × way × the guard, constraint or right that must refuse it, past all of Python.

Each row is tried as the owner of the tables and as the web role. What SQL can't attack is in `COVERED`, with the test
that covers it instead.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

from tests import guarding
from tests.attacks.world import Attack, World, again, again_by_copy
from tests.guarding import named

NO_RIGHT = "no right"


class Way(NamedTuple):
    """One attack; `{names}` in its SQL are keys of the world. `web` is what refuses it to the web role."""

    code: str
    name: str
    attack: Attack
    owner: str
    web: str


def way(code: str, name: str, attack: Attack, guard: str, web: str = "") -> Way:
    return Way(code, name, attack, guard, web or guard)


def changes(code: str, row: str, guard: str, web: str = "", *, upsert: str = "", **fields: Any) -> Iterator[Way]:
    """Yield a change of one row in each way; an upsert also meets the guards of an insert."""
    ways = ("by_queryset_update", "by_bulk_update", "by_raw_update", "by_merge", "by_upsert")
    for name in ways:

        def attack(world: World, name: str = name) -> None:
            values = {field: getattr(world, value[1:]) if _is_row(value) else value for field, value in fields.items()}
            getattr(guarding, name)(getattr(world, row), **values)

        refuses = (upsert or guard) if name == "by_upsert" else guard
        yield way(code, f"{row} {named(fields)} {name}", attack, refuses, web)


def _is_row(value: object) -> bool:
    return isinstance(value, str) and value.startswith("@")


def adds(code: str, table: str, key: str, guard: str, web: str = "", *, name: str, **values: str) -> Iterator[Way]:
    """Yield the addition of one row, by INSERT and by COPY."""
    yield way(code, f"{name} by insert", again(table, key, **values), guard, web)
    yield way(code, f"{name} by copy", again_by_copy(table, key, **values), guard, web)


def final(code: str, table: str, kept: str, guard: str, web: str = NO_RIGHT, columns: str = "*") -> Iterator[Way]:
    """Yield the deletion of the rows of a table that keeps them, one that is undone by an insert, and its emptying."""
    into = "" if columns == "*" else f"({columns})"
    yield way(code, f"delete {table}", f"DELETE FROM {table}", guard, web)
    yield way(
        code,
        f"delete and insert {table}",
        f"WITH gone AS (DELETE FROM {table} RETURNING *) INSERT INTO {table} {into} SELECT {columns} FROM gone",
        guard,
        web,
    )
    yield way(code, f"truncate {table}", f"TRUNCATE {table} CASCADE", kept, NO_RIGHT)


def key(code: str, table: str, web: str = "") -> Iterator[Way]:
    """Yield a change of primary keys, and an exchange of two."""
    guard = f"{table}_keeps_its_key"
    yield way(code, f"new key {table}", f"UPDATE {table} SET id = id + 1000000", guard, web)
    yield way(
        code,
        f"exchanged keys {table}",
        f"UPDATE {table} SET id = (SELECT min(id) + max(id) FROM {table}) - id",
        guard,
        web,
    )


MODE, CENTER, HELD = "onboarding_onboarding", "subscriptions_contactcenter", "subscriptions_holding"
FINAL = "onboarding_activation_is_final"
ACTIVATE = (
    "UPDATE onboarding_onboarding SET activated_at = {at}, activated_by_id = {{{by}}}, activated_from = 'admin', "
    "reason = 'Live', activated_on = {day} WHERE id = {{mode}}"
)
NOW = {"at": "clock_timestamp()", "day": "local_day('America/New_York', clock_timestamp())", "by": "staff"}


def activation(**other: str) -> str:
    return ACTIVATE.format(**{**NOW, **other})


LINE = (
    "INSERT INTO billing_invoiceline (invoice_id, position, line_count, kind, sku, month, first, last, quantity, "
    "unit_price, amount, per_seat, minutes, included, package_minutes, invoiced) SELECT {key}, {position}, {count}, "
    "{kind}, {sku}, month, {first}, last, quantity, unit_price, {amount}, per_seat, minutes, included, "
    "package_minutes, invoiced FROM billing_invoiceline WHERE invoice_id = {{invoice}} AND sku LIKE 'cc-%' LIMIT 1; "
)
BILL = (
    "INSERT INTO billing_invoice (id, number, account_id, month, issued_at, total, line_count) "
    "VALUES ({key}, {number}, {{{account}}}, '2026-04-01', clock_timestamp(), {total}, {count})"
)
NEXT = "{next_invoice}"
AMOUNT = "36.13"


def forged(*, account: str = "live", total: str = AMOUNT, **line: str) -> str:
    """Return SQL that writes a line, counts on, and issues an invoice over it."""
    number = line.pop("number", "2")
    values = {
        "key": NEXT,
        "position": "1",
        "count": "1",
        "kind": "kind",
        "sku": "sku",
        "first": "first",
        "amount": AMOUNT,
        **line,
    }
    invoice = BILL.format(key=NEXT, number=number, account=account, total=total, count=values["count"])
    return LINE.format(**values) + invoice


COUNT_ON = "UPDATE billing_counter SET invoices = invoices + 1; "
WAYS: list[Way] = [
    *changes("I1", "center", "onboarding_seat_limit", seats=3),
    *changes("I1", "center", "onboarding_seat_limit", seats=100_000),
    way("I1", "100,001 seats", f"UPDATE {CENTER} SET seats = 100001 WHERE account_id = {{live}}", "seats_are_possible"),
    way("I1", "seats below zero", f"UPDATE {CENTER} SET seats = -1 WHERE account_id = {{live}}", "seats_are_possible"),
    *changes("I2", "center", "onboarding_package_lock", package_id=None),
    way("I2", "a package for all", f"UPDATE {CENTER} SET package_id = {{package}}", "onboarding_package_lock"),
    way("I2", "minutes of its own", "UPDATE subscriptions_item SET size = 500 WHERE id = {paygo}", "item_is_final"),
    way("I2", "deleted", "DELETE FROM subscriptions_item WHERE id = {paygo}", "item_is_final", NO_RIGHT),
    *changes("I3", "activation", FINAL, upsert="activation_is_whole", activated_at=None),
    *changes("I3", "activation", FINAL, upsert="onboarding_is_born_in_onboarding", reason="Other"),
    *changes("I3", "activation", FINAL, upsert="onboarding_is_born_in_onboarding", activated_by_id=None),
    *final("I3", MODE, "onboarding_onboarding_is_kept", "onboarding_is_never_deleted"),
    *adds("I4", MODE, "activation", "onboarding_is_born_in_onboarding", name="active mode", account_id="{trial}"),
    *adds("I4", CENTER, "center", "onboarding_with_contact_center", name="center alone", account_id="{live} + 100000"),
    way("I5", "a customer", activation(by="customer"), "onboarding_activated_by_the_team"),
    way("I5", "the system member", activation(by="system"), "onboarding_activated_by_the_team"),
    way(
        "I5",
        "staff who were switched off",
        "UPDATE accounts_user SET is_active = false WHERE id = {staff}; " + activation(),
        "onboarding_activated_by_the_team",
    ),
    way(
        "I5",
        "staff without the permission",
        "DELETE FROM accounts_user_groups WHERE user_id = {staff}; " + activation(),
        "onboarding_activated_by_the_team",
    ),
    way("I6", "before the day", COUNT_ON + forged(first="date '2026-03-15'"), "nothing_is_charged_before_activation"),
    way("I6", "never activated", COUNT_ON + forged(account="trial"), "nothing_is_charged_before_activation"),
    way(
        "I6",
        "as usage",
        COUNT_ON + forged(account="trial", kind="'usage'"),
        "nothing_is_charged_before_activation",
    ),
    way("I6", "the day moved", f"UPDATE {MODE} SET activated_on = '2026-03-01' WHERE id = {{activation}}", FINAL),
    *changes("I7", "call", "call_record_is_final", number="+18005550199"),
    *changes("I7", "call", "call_record_is_final", is_toll_free=False),
    *adds("I8", "billing_billedmonth", "billed", "a_month_is_billed_once", name="a month again"),
    *final("I8", "billing_billedmonth", "billing_billedmonth_is_kept", "billing_billedmonth_is_final"),
    way("I9", "a number of its own", forged(number="1000"), "number_of_invoice_is_counted"),
    way("I9", "a number taken", forged(number="1"), "billing_invoice_number_key"),
    way("I9", "a month again", COUNT_ON + forged().replace("'2026-04-01'", "'2026-03-01'"), "one_invoice_a_month"),
    way("I9", "the counter jumps", "UPDATE billing_counter SET invoices = invoices + 5", "counter_counts_documents"),
    way("I9", "the counter goes back", "UPDATE billing_counter SET invoices = 0", "counter_only_counts_on"),
    way("I9", "no counter", "DELETE FROM billing_counter", "counter_only_counts_on", NO_RIGHT),
    way("I9", "emptied", "TRUNCATE billing_counter", "billing_counter_is_kept", NO_RIGHT),
    way(
        "I9",
        "a gap without a jump",
        "INSERT INTO billing_numbergap (of, first, last, why) VALUES ('invoices', 5, 6, 'Why')",
        "number_gap_is_behind_the_counter",
        NO_RIGHT,
    ),
    *changes("I10", "invoice", "billing_invoice_is_final", NO_RIGHT, total=1),
    *changes("I10", "invoice", "billing_invoice_is_final", NO_RIGHT, account="@trial"),
    *final("I10", "billing_invoice", "billing_invoice_is_kept", "billing_invoice_is_final"),
    *final("I10", "billing_invoiceline", "billing_invoiceline_is_kept", "billing_invoiceline_is_final"),
    *changes("I10", "note", "billing_creditnote_is_final", NO_RIGHT, amount=2),
    way("I11", "a wrong total", COUNT_ON + forged(total="1"), "invoice_is_the_sum_of_its_lines"),
    way("I11", "a line later", LINE.format(
        key="{invoice}", position="9", count="9", kind="kind", sku="sku", first="first", amount="1"
    ), "issued_invoice_takes_no_line"),
    way("I11", "a total of NaN", COUNT_ON + forged(total="'NaN'"), "invoice_total_is_a_number"),
    way("I11", "a line of NaN", COUNT_ON + forged(amount="'NaN'"), "invoice_line_amounts_are_numbers"),
    way("I11", "no lines", COUNT_ON + BILL.format(
        key=NEXT, number="2", account="live", total="0", count="0"
    ), "invoice_has_lines"),
    *adds("I12", "billing_callrecord", "call", "call_identity_stands_once", name="a duplicate"),
    *adds("I12", "billing_callrecord", "call", "call_identity_stands_once", name="other content", seconds="1"),
    *changes("I12", "call", "call_record_is_final", seconds=1),
    *final("I12", "billing_callrecord", "billing_callrecord_is_kept", "call_record_is_final",
           columns="id, call_id, leg, number, caller, started_at, seconds"),
    *adds("I13", HELD, "held", "holdings_never_overlap", name="twice"),
    *adds("I13", HELD, "held", "holding_has_a_period", name="no days", period="'empty'"),
    *changes("I13", "held", "subscriptions_holding_is_final", quantity=9),
    *final("I13", HELD, "subscriptions_holding_is_kept", "subscriptions_holding_is_final"),
    *adds("I14", "subscriptions_change", "change", "one_change_a_version", name="a version again",
          at="clock_timestamp()", day="local_day('America/New_York', clock_timestamp())", confirmation="NULL"),
    *final("I14", "subscriptions_change", "subscriptions_change_is_kept", "subscriptions_change_is_final"),
    *final("I16", "onboarding_historicalonboarding", "onboarding_historicalonboarding_is_kept",
           "onboarding_historicalonboarding_is_final"),
    *final("I16", "subscriptions_historicalcontactcenter", "subscriptions_historicalcontactcenter_is_kept",
           "subscriptions_historicalcontactcenter_is_final"),
    way("I16", "another user", "UPDATE onboarding_historicalonboarding SET history_user_id = {customer}",
        "onboarding_historicalonboarding_is_final", NO_RIGHT),
    *key("I23", "accounts_account"),
    *key("I23", "accounts_user"),
    *key("I23", "accounts_contact"),
    *key("I23", "accounts_phonenumber"),
    *changes("I23", "live", "account_number_is_final", number="100009"),
    way("I23", "the system member", "UPDATE accounts_user SET is_system = false WHERE is_system",
        "user_system_member_is_fixed"),
    way("I23", "a deleted account", "DELETE FROM accounts_account", "accounts_account_is_deleted_last", NO_RIGHT),
    *adds("I24", "billing_callrecord", "call", "call_day_is_local", name="a day off", call_id="'c9'",
          day="date '2026-03-10'"),
    *adds("I24", "subscriptions_change", "change", "change_day_is_decided", name="a day off", version="99",
          at="clock_timestamp()", day="date '2026-12-31'", confirmation="NULL"),
    way("I24", "an activation's day", activation(day="date '2026-12-31'"), "activation_day_is_local"),
    way("I24", "a zone that is fixed", "UPDATE accounts_account SET timezone = 'Europe/Paris' WHERE id = {live}",
        "account_timezone_is_fixed"),
    way("I24", "a zone that is no place", "UPDATE accounts_account SET timezone = 'EST' WHERE id = {trial}",
        "account_timezone_is_offered"),
    *adds("I25", "billing_callimport", "import", "fates_add_up_to_the_rows_read", name="one row more",
          rows_read="rows_read + 1"),
    way("I25", "a fate more", "UPDATE billing_callimport SET added = added + 1", "fates_add_up_to_the_rows_read"),
    way("I25", "a deleted file", "DELETE FROM billing_callimport", "billing_callimport_is_deleted_last"),
    *adds("I26", HELD, "held", "ledger_keeps_the_past", name="an old change", slot="{extra}", item_id="{extra}",
          quantity="1"),
    way("I26", "superseded by nothing", f"UPDATE {HELD} SET superseded_by_id = {{change}} WHERE id = {{held}}",
        "superseded_by_its_own"),
    way("I26", "a past price", "UPDATE subscriptions_price SET monthly_price = 1", "price_in_effect_is_final"),
    way("I26", "a new price for the past", "INSERT INTO subscriptions_price (item_id, effective_from, monthly_price) "
        "VALUES ({extra}, '2026-03-01', 1)", "price_starts_later"),
    way("I26", "activated in the past", activation(at="timestamptz '2026-03-20 12:00Z'", day="date '2026-03-20'"),
        FINAL),
    way("I26", "a change of the past", "INSERT INTO subscriptions_change (account_id, version, by_id, at, day) "
        "VALUES ({live}, 99, {customer}, '2026-03-20 12:00Z', '2026-03-20')", "change_day_is_decided"),
]  # fmt: skip
