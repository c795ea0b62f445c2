from billing.actions.automatic import run_bills_automatically
from billing.actions.correct import issue_credit_note, reject_bill, release_bill
from billing.actions.correct_timezone import correct_timezone
from billing.actions.decide_calls import dismiss_record, dismiss_reject, take_record
from billing.actions.mappings import save_mapping
from billing.actions.run_bills import RunSummary, run_bills
from billing.actions.void_calls import void_import, void_record

__all__ = [
    "RunSummary",
    "correct_timezone",
    "dismiss_record",
    "dismiss_reject",
    "issue_credit_note",
    "reject_bill",
    "release_bill",
    "run_bills",
    "run_bills_automatically",
    "save_mapping",
    "take_record",
    "void_import",
    "void_record",
]
