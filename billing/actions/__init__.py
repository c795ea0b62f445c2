"""The actions on bills and calls, one per file."""

from billing.actions.correct_timezone import correct_timezone
from billing.actions.dismiss_record import dismiss_record
from billing.actions.dismiss_reject import dismiss_reject
from billing.actions.issue_credit_note import issue_credit_note
from billing.actions.reject_bill import reject_bill
from billing.actions.release_bill import release_bill
from billing.actions.run_bills import run_bills
from billing.actions.run_bills_automatically import run_bills_automatically
from billing.actions.save_issuer import save_issuer
from billing.actions.save_mapping import save_mapping
from billing.actions.send_document_again import send_document_again
from billing.actions.set_billing_profile import set_billing_profile
from billing.actions.skip_numbers import skip_numbers
from billing.actions.take_record import take_record
from billing.actions.void_import import void_import
from billing.actions.void_record import void_record

__all__ = [
    "correct_timezone",
    "dismiss_record",
    "dismiss_reject",
    "issue_credit_note",
    "reject_bill",
    "release_bill",
    "run_bills",
    "run_bills_automatically",
    "save_issuer",
    "save_mapping",
    "send_document_again",
    "set_billing_profile",
    "skip_numbers",
    "take_record",
    "void_import",
    "void_record",
]
