"""The triggers on the tables of accounts, which this app's migrations make."""

from django.utils.translation import gettext_lazy as _

from core.guards import Guard, append_only, read_committed

GUARDS = [
    *append_only("accounts_refusal", "What was refused"),
    *append_only("accounts_historicaluser", "History"),
    *append_only("accounts_historicalaccount", "History"),
    *append_only("accounts_historicalcontact", "History"),
    *append_only("accounts_historicalserviceuser", "History"),
    *append_only("accounts_historicalphonenumber", "History"),
    Guard(
        "accounts_numberassignment_is_final",
        "accounts_numberassignment",
        _("The period in which a number was assigned may end once; nothing else of it ever changes."),
    ),
    Guard("accounts_numberassignment_is_kept", "accounts_numberassignment", "Assignments are never emptied."),
    *read_committed("accounts_account", "accounts_phonenumber", "accounts_numberassignment"),
    Guard(
        "account_timezone_is_offered",
        "accounts_account",
        "This is not a time zone that can be chosen. Choose a place, like America/New_York, or UTC.",
    ),
    Guard(
        "assigned_number_does_not_move",
        "accounts_phonenumber",
        "The number is assigned to Contact Center: unassign it before it moves.",
    ),
    Guard(
        "number_is_assigned_by_its_account",
        "accounts_numberassignment",
        _("This number is not one of your account's."),
    ),
    Guard("user_system_member_is_fixed", "accounts_user", "Who stands for the schedule never changes."),
]
