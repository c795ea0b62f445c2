from billing.actions.by_itself import run_bills_by_itself
from billing.actions.correct import issue_credit_note, reject_bill, release_bill
from billing.actions.mappings import save_mapping
from billing.actions.run_bills import Summary, run_bills

__all__ = [
    "Summary",
    "issue_credit_note",
    "reject_bill",
    "release_bill",
    "run_bills",
    "run_bills_by_itself",
    "save_mapping",
]
