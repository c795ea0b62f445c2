"""The Billing team's pages, and what billing adds to the worklist and to an account's page."""

from billing.admin import accounts, worklist
from billing.admin.apart import RejectedCallAdmin, SetAsideCallAdmin
from billing.admin.calls import CallImportAdmin, CallRecordAdmin
from billing.admin.invoices import CreditNoteAdmin, InvoiceAdmin
from billing.admin.mappings import CallMappingAdmin
from billing.admin.parties import BillingProfileAdmin, IssuerAdmin
from billing.admin.runs import BillOnHoldAdmin, BillRunAdmin, FailedBillAdmin

__all__ = [
    "BillOnHoldAdmin",
    "BillRunAdmin",
    "BillingProfileAdmin",
    "CallImportAdmin",
    "CallMappingAdmin",
    "CallRecordAdmin",
    "CreditNoteAdmin",
    "FailedBillAdmin",
    "InvoiceAdmin",
    "IssuerAdmin",
    "RejectedCallAdmin",
    "SetAsideCallAdmin",
    "accounts",
    "worklist",
]
