"""Pairs of actions that can meet on the same account, number or counter, with the race test and the control of each.

The control is the same race without the lock or guard; where one test runs both, by a parameter, it is named twice.
"""

BUY, ACTIVATE, INSTALL, IMPORT, BILL = "purchase", "activation", "installation", "import", "bill run"
_IMPORTS, _VOIDS = "billing.calls.test_import_races", "billing.calls.test_void_races"
_RUNS, _PLANS = "billing.runs.test_bill_run_races", "onboarding.test_schedule_races"
_MOVES, _CREDITS = "subscriptions.test_number_move_races", "billing.test_credit_notes"
_ACTIVATIONS, _ON_HOLD = "subscriptions.test_activation_races", "billing.runs.test_bills_on_hold"
_LINES = "attacks.test_lines_of_invoices"
_BUYS, _PEOPLE = "subscriptions.test_races", "subscriptions.test_import_races"


def _both(test: str) -> tuple[str, str]:
    return test, test


INTERLEAVINGS: dict[tuple[str, str], tuple[str, str]] = {
    (BUY, BUY): (
        f"{_BUYS}::test_fifty_customers_who_insist_never_pass_two_seats",
        f"{_BUYS}::test_control_without_the_lock_all_pass_the_check_and_only_the_database_stops_them",
    ),
    ("raw update of seats", "raw update of seats"): (
        f"{_BUYS}::test_fifty_raw_updates_stop_at_two_seats",
        f"{_BUYS}::test_control_without_the_guard_all_fifty_raw_updates_succeed",
    ),
    (ACTIVATE, ACTIVATE): (
        "onboarding.test_races::test_of_two_who_activate_at_once_one_does_and_the_other_is_told",
        "onboarding.test_races::test_control_without_the_lock_both_pass_the_check_and_one_is_told_a_lie",
    ),
    ("schedule", ACTIVATE): (
        f"{_PLANS}::test_a_plan_that_changes_meanwhile_is_kept_to",
        f"{_PLANS}::test_control_decided_before_the_lock_it_is_activated_against_the_plan",
    ),
    ("cancelled schedule", ACTIVATE): _both(
        f"{_PLANS}::test_a_plan_changes_only_when_the_activation_is_done_with_the_account"
    ),
    ("activations of a night", "activations of a night"): (
        f"{_PLANS}::test_workers_at_once_keep_the_bound_together",
        f"{_PLANS}::test_control_without_its_lock_the_bound_is_overrun",
    ),
    ("activations of a day", "activations of a day"): (
        "onboarding.test_daily_cap::test_many_at_once_keep_to_the_cap_together",
        "onboarding.test_daily_cap::test_control_without_its_lock_the_cap_is_overrun",
    ),
    ("import of people", "import of people"): (
        f"{_PEOPLE}::test_one_of_many_confirmations_adds_the_people",
        f"{_PEOPLE}::test_control_without_the_lock_the_others_are_told_by_the_database",
    ),
    (IMPORT, IMPORT): _both(f"{_IMPORTS}::test_two_imports_of_the_same_calls_take_turns"),
    (IMPORT, BILL): _both(f"{_IMPORTS}::test_a_call_that_comes_while_its_month_is_billed_is_not_lost"),
    (BILL, IMPORT): _both(f"{_IMPORTS}::test_a_run_that_comes_while_a_call_is_written_waits_for_it"),
    ("void", BILL): _both(f"{_VOIDS}::test_a_void_while_its_month_is_billed_is_not_lost"),
    ("take", "take"): _both(f"{_VOIDS}::test_a_record_is_taken_once"),
    (BILL, BILL): (
        f"{_RUNS}::test_chunks_of_the_same_accounts_bill_each_once",
        f"{_RUNS}::test_control_without_the_lock_they_meet_and_only_the_database_stops_them",
    ),
    ("late call", BILL): _both(
        "billing.runs.test_late_months::test_a_call_that_comes_while_a_run_settles_its_month_is_not_lost"
    ),
    ("credit", "credit"): (
        f"{_CREDITS}::test_many_at_once_never_give_back_more_than_was_invoiced",
        f"{_CREDITS}::test_control_without_the_guard_either_more_is_given_back_than_was_invoiced",
    ),
    ("number move", "assignment"): (
        f"{_MOVES}::test_who_assigns_a_number_sees_that_it_was_moved_meanwhile",
        f"{_MOVES}::test_control_without_the_locks_the_guards_stop_it",
    ),
    ("assignment", "number move"): (
        f"{_MOVES}::test_past_python_the_move_is_refused_after_the_assignment",
        f"{_MOVES}::test_control_without_the_row_lock_the_number_gets_stuck",
    ),
    (BUY, ACTIVATE): _both(f"{_ACTIVATIONS}::test_an_activation_waits_for_a_purchase"),
    (ACTIVATE, BUY): _both(f"{_ACTIVATIONS}::test_what_was_confirmed_before_an_activation_is_not_bought_after_it"),
    (INSTALL, ACTIVATE): _both(f"{_ACTIVATIONS}::test_an_activation_waits_for_the_installation"),
    (INSTALL, INSTALL): _both(f"{_ACTIVATIONS}::test_of_two_who_install_one_does_and_the_other_is_told"),
    ("void", IMPORT): _both(f"{_VOIDS}::test_a_call_that_is_imported_while_its_record_is_voided_is_added"),
    ("void", "void"): _both(f"{_VOIDS}::test_two_who_void_a_record_void_it_once"),
    ("number move", IMPORT): _both(
        f"{_IMPORTS}::test_a_number_that_goes_to_another_account_before_the_lock_is_looked_at_again"
    ),
    ("zone change", IMPORT): _both(f"{_IMPORTS}::test_a_time_zone_that_is_corrected_before_the_lock_decides_the_day"),
    ("dismissal", IMPORT): _both(f"{_VOIDS}::test_what_an_import_is_taking_is_not_dismissed_meanwhile"),
    ("take", BILL): _both(f"{_VOIDS}::test_a_take_locks_all_its_accounts_in_the_order_of_keys"),
    ("release", "rejection"): (
        f"{_ON_HOLD}::test_decided_at_once_it_is_decided_once",
        f"{_ON_HOLD}::test_control_without_the_lock_both_decide_and_the_guard_stops_one",
    ),
    ("number move", BILL): (
        f"{_MOVES}::test_a_move_waits_for_the_account_that_gets_the_number_too",
        f"{_MOVES}::test_control_without_the_locks_a_move_waits_for_nobody",
    ),
    ("invoice", "line"): (
        f"{_LINES}::test_a_line_that_the_other_session_does_not_see",
        f"{_LINES}::test_control_without_the_keys_the_line_is_written",
    ),
}
