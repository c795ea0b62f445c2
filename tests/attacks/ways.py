"""The table of attacks: invariant × way × the guard, constraint or right that must refuse it, past all of Python.

Each row is tried as the owner of the tables and as the web role. What SQL can't attack is in `COVERED`, with the test
that covers it instead.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, NamedTuple

from tests import guarding
from tests.attacks.world import Attack, World, again, again_by_copy
from tests.guarding import named

NO_RIGHT = "no right"
WITH_HISTORY = {"center", "activation", "live", "number"}  # rows of the world whose model has a history to save again


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
    ways = ["by_queryset_update", "by_bulk_update", "by_raw_update", "by_merge", "by_upsert", "by_loaddata"]
    if row in WITH_HISTORY:
        ways.append("by_history_revert")
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


LATER = datetime(2026, 4, 2, 12, tzinfo=UTC)
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

ASSIGNED, CALL, NOTE = "accounts_numberassignment", "billing_callrecord", "billing_creditnote"
ASIDE, REJECT, HOLD, LATE = "billing_setasidecall", "billing_rejectedcall", "billing_heldbill", "billing_latemonth"
EMAIL, NOTICE = "core_outgoingemail", "onboarding_notice"
LONG_AGO = "tstzrange('2024-03-01 00:00Z', '2024-03-02 00:00Z')"
# A day later than today is in Kiritimati, and the account then moves to where it is still yesterday.
BOUGHT_TOMORROW = """
    UPDATE accounts_account SET timezone = 'Pacific/Kiritimati' WHERE id = {trial};
    INSERT INTO subscriptions_change (account_id, version, by_id, at, day) VALUES ({trial}, 99, {customer},
        clock_timestamp(), local_day('Pacific/Kiritimati', clock_timestamp()));
    UPDATE accounts_account SET timezone = 'Pacific/Pago_Pago' WHERE id = {trial};
"""
# What the guards with a body of their own refuse that no way above asks of them.
WAYS += [
    *adds("I1", HELD, "held", "onboarding_ledger_limit", name="three seats in the ledger", account_id="{trial}",
          quantity="3"),
    *adds("I1", HELD, "held", "onboarding_ledger_limit", name="seats in another slot", slot="-2", quantity="3"),
    *adds("I2", HELD, "held", "onboarding_ledger_limit", name="a package in the ledger", account_id="{trial}",
          slot="-3", item_id="{package}", quantity="1"),
    *changes("I4", "center", "contact_center_is_never_deleted", account="@live"),
    *changes("I4", "center", "contact_center_is_never_deleted", version=-1,
             upsert="subscriptions_contactcenter_version_check"),
    *final("I4", CENTER, "subscriptions_contactcenter_is_kept", "contact_center_is_never_deleted"),
    *adds("I8", NOTE, "note", "credit_is_within_the_invoice", name="more than was invoiced", number="2",
          amount="1000"),
    *changes("I8", "late", "late_month_is_settled_once", settled_at=LATER),
    *adds("I8", LATE, "late", "late_month_is_settled_once", name="late and settled", settled_at="clock_timestamp()"),
    *final("I8", LATE, "billing_latemonth_is_kept", "late_month_is_settled_once"),
    *adds("I9", NOTE, "note", "number_of_creditnote_is_counted", name="a note's own number", number="7",
          amount="0.01"),
    *adds("I12", CALL, "call", "call_record_comes_standing", name="voided at once", call_id="'c9'", is_voided="true"),
    *adds("I12", CALL, "call", "call_record_comes_standing", name="without talk time", call_id="'c9'", seconds="0"),
    *changes("I20", "on_hold", "held_bill_is_decided_once", total=1),
    *changes("I20", "on_hold", "held_bill_is_decided_once", state="released"),
    *final("I20", HOLD, "billing_heldbill_is_kept", "held_bill_is_decided_once"),
    way("I24", "a match's day", f"UPDATE {CALL} SET account_id = {{live}}, day = '2026-12-31', "
        "matched_at = clock_timestamp() WHERE id = {unmatched}", "matched_call_day_is_local"),
    *changes("I25", "aside", "set_aside_call_is_decided_once", seconds=1),
    *final("I25", ASIDE, "billing_setasidecall_is_kept", "set_aside_call_is_decided_once"),
    *changes("I25", "reject", "rejected_row_is_decided_once", content="Other"),
    *final("I25", REJECT, "billing_rejectedcall_is_kept", "rejected_row_is_decided_once"),
    *changes("I26", "number", "assigned_number_does_not_move", account="@trial"),
    *changes("I26", "number", "assigned_number_stays_itself", number="+18005550199"),
    *changes("I26", "assignment", "accounts_numberassignment_is_final", ended_by="@staff"),
    *final("I26", ASSIGNED, "accounts_numberassignment_is_kept", "accounts_numberassignment_is_final"),
    *adds("I26", ASSIGNED, "assignment", "number_is_assigned_by_its_account", name="another's number",
          account_id="{trial}"),
    *adds("I26", ASSIGNED, "assignment", "assignment_of_a_final_month", name="a final month's assignment",
          period=LONG_AGO, ended_by_id="{staff}"),
    *adds("I26", CALL, "unmatched", "call_record_of_a_final_month", name="a final month's call", call_id="'c9'",
          started_at="timestamptz '2024-03-20 16:00Z'"),
    way("I26", "a final month's match", f"UPDATE {CALL} SET account_id = {{live}}, day = '2024-03-20', "
        "matched_at = clock_timestamp() WHERE id = {old}", "match_of_a_final_month"),
    way("I26", "a final month's void", "INSERT INTO billing_callvoid (record_id, by_id, at, reason) "
        "VALUES ({old}, {staff}, clock_timestamp(), 'Wrong')", "void_of_a_final_month"),
    way("I26", "a final month's price", "UPDATE billing_callrules SET final_after = 1; "
        "INSERT INTO subscriptions_price (item_id, effective_from, monthly_price) "
        "SELECT edition_id, '2025-12-01', 1 FROM subscriptions_contactcenter WHERE id = {center}",
        "price_of_a_final_month"),
    *changes("I26", "rules", "call_rules_only_tighten", upgraded_at=LATER),
    *final("I26", "billing_callrules", "billing_callrules_is_kept", "call_rules_only_tighten"),
    way("I26", "activated on a day before the last purchase", BOUGHT_TOMORROW + activation(
        day="local_day('Pacific/Pago_Pago', clock_timestamp())"), "activation_follows_changes"),
    *changes("R11", "sent", "outgoing_email_is_final", body="Other words"),
    *changes("R11", "email", "outgoing_email_is_final", address="else@example.com"),
    *final("R11", EMAIL, "core_outgoingemail_is_kept", "outgoing_email_is_never_deleted"),
    *changes("R11", "notice", "notice_is_final", to="@staff"),
    way("R11", "a notice dropped from the start", f"INSERT INTO {NOTICE} (email_id, account_id, to_id, kind, occasion, "
        f"dropped) SELECT email_id + 100000, account_id, to_id, kind, occasion, true FROM {NOTICE}", "notice_is_final"),
    *final("R11", NOTICE, "onboarding_notice_is_kept", "notice_is_never_deleted"),
]  # fmt: skip


class Answer(NamedTuple):
    """What a guard writes after an attack instead of refusing it; `shows` counts the rows that it has written."""

    guard: str
    table: str
    attack: str
    shows: str


ANSWERS = [
    Answer(
        "onboarding_leaves_history",
        MODE,
        f"UPDATE {MODE} SET owner_id = {{staff}} WHERE id = {{mode}}",
        "SELECT count(*) FROM onboarding_historicalonboarding WHERE id = {mode} AND owner_id = {staff}",
    ),
    Answer(
        "contact_center_leaves_history",
        CENTER,
        f"UPDATE {CENTER} SET seats = 2 WHERE id = {{center}}",
        "SELECT count(*) FROM subscriptions_historicalcontactcenter WHERE id = {center} AND seats = 2",
    ),
    Answer(
        "notice_is_dropped_with_its_email",
        EMAIL,
        f"UPDATE {EMAIL} SET state = 'dropped', settled_at = clock_timestamp() WHERE id = {{email}}",
        "SELECT count(*) FROM onboarding_notice WHERE email_id = {email} AND dropped",
    ),
    Answer(
        "void_marks_its_record",
        "billing_callvoid",
        "INSERT INTO billing_callvoid (record_id, by_id, at, reason) "
        "VALUES ({call}, {staff}, clock_timestamp(), 'Wrong')",
        "SELECT count(*) FROM billing_callrecord JOIN billing_latemonth l USING (account_id) "
        "WHERE billing_callrecord.id = {call} AND is_voided AND l.month = '2026-03-01'",
    ),
]
# Guards that neither the owner nor the web role can meet, and the test that does.
ELSEWHERE = {
    # The owner may, and web has no right to the table at all: another role, with the right, must be refused.
    "number_gap_is_the_owners": "attacks.test_numbers::test_a_gap_is_recorded_with_the_jump_by_the_owner_alone",
    # They look at what a row refers to, which the world of the table has none of: documents and their emails.
    "invoicedocument_names_what_is_there": "attacks.test_documents::test_no_document_of_nothing",
    "creditnotedocument_names_what_is_there": "attacks.test_documents::test_a_credit_note_has_no_document_of_nothing",
    "delivery_names_what_is_there": "billing.deliveries.test_deliveries::test_no_email_of_nothing_and_none_twice",
}
