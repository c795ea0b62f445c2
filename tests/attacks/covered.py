"""What SQL can't attack, or not only: the tests that attack these invariants, by module and name."""

_BAD = "config.test_one_bad_account"
COVERED: dict[str, list[str]] = {
    "I14": ["subscriptions.test_races::test_one_confirmation_submitted_ten_times_at_once_has_one_effect"],
    "I15": [
        "accounts.test_pages::test_other_customers_accounts_answer_404",
        "accounts.test_pages::test_other_customers_people_and_numbers_can_not_be_named",
    ],
    "I16": [
        "attacks.test_planted_history::test_a_row_planted_before_does_not_hide_the_change",
        "accounts.test_admin_pages::test_history_is_read_and_never_written",
    ],
    "I17": [
        f"{_BAD}::test_a_bill_run_bills_the_others_and_says_why_not_this_one",
        f"{_BAD}::test_a_batch_activates_the_others",
        f"{_BAD}::test_an_import_takes_the_calls_of_the_others",
        f"{_BAD}::test_the_schedule_activates_and_announces_the_others",
    ],
    "I18": [
        "attacks.test_guards_taken_away::test_the_check_names_it_and_readiness_is_red",
        "attacks.test_roles::test_it_is_refused_by_privilege",
    ],
    "I19": [
        "onboarding.test_activate::test_the_clock_is_the_databases_not_the_applications",
        "onboarding.test_activate::test_the_clock_is_read_after_the_lock",
        "subscriptions.test_install::test_the_clock_is_the_databases",
    ],
    "I20": [
        "billing.runs.test_bills_on_hold::test_a_held_bill_waits_whatever_runs",
        "billing.runs.test_bills_on_hold::test_a_release_issues_exactly_the_invoice_once",
    ],
    "I22": [
        "attacks.test_documents::test_nothing_changes_an_issued_document",
        "attacks.test_documents::test_no_statement_changes_what_a_document_says",
        "attacks.test_documents::test_no_document_of_nothing",
        "attacks.test_documents::test_what_was_changed_without_the_guards_is_found",
        "attacks.test_documents::test_a_restored_database_has_the_same_documents",
    ],
    "I27": [
        "config.test_isolation::test_nothing_is_written_at_another_level",
        "config.test_isolation::test_each_transaction_names_the_level_also_behind_a_pooler",
        "config.test_isolation::test_readiness_is_red_at_another_level",
    ],
    "I28": [
        f"{_BAD}::test_the_back_office_answers",
        f"{_BAD}::test_the_pages_of_the_account_itself_answer",
    ],
}
