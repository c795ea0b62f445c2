"""The billing team's pages, and the worklist with what accounts used and are worth."""

from billing.admin.accounts import BilledAccountAdmin
from billing.admin.apart import RejectedCallAdmin, SetAsideCallAdmin
from billing.admin.calls import CallImportAdmin, CallRecordAdmin
from billing.admin.invoices import CreditNoteAdmin, InvoiceAdmin
from billing.admin.mappings import CallMappingAdmin
from billing.admin.runs import BillOnHoldAdmin, BillRunAdmin, FailedBillAdmin
from billing.admin.worklist import OnboardingAdmin

__all__ = [
    "BillOnHoldAdmin",
    "BillRunAdmin",
    "BilledAccountAdmin",
    "CallImportAdmin",
    "CallMappingAdmin",
    "CallRecordAdmin",
    "CreditNoteAdmin",
    "FailedBillAdmin",
    "InvoiceAdmin",
    "OnboardingAdmin",
    "RejectedCallAdmin",
    "SetAsideCallAdmin",
]
