"""The billing team's pages."""

from billing.admin.calls import CallImportAdmin, CallRecordAdmin, RejectedCallAdmin
from billing.admin.invoices import CreditNoteAdmin, InvoiceAdmin
from billing.admin.runs import BillRunAdmin, FailedBillAdmin, HeldBillAdmin

__all__ = [
    "BillRunAdmin",
    "CallImportAdmin",
    "CallRecordAdmin",
    "CreditNoteAdmin",
    "FailedBillAdmin",
    "HeldBillAdmin",
    "InvoiceAdmin",
    "RejectedCallAdmin",
]
