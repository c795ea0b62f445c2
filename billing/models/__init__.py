from billing.models.bills import (
    LINE_FIELDS,
    BilledMonth,
    BillRun,
    Counter,
    CreditNote,
    FailedBill,
    HeldBill,
    Invoice,
    InvoiceLine,
)
from billing.models.calls import CallImport, CallRecord, Layout, RejectedCall
from billing.models.mappings import CallMapping
from billing.models.months import LateMonth, UnbilledMonth

__all__ = [
    "LINE_FIELDS",
    "BillRun",
    "BilledMonth",
    "CallImport",
    "CallMapping",
    "CallRecord",
    "Counter",
    "CreditNote",
    "FailedBill",
    "HeldBill",
    "Invoice",
    "InvoiceLine",
    "LateMonth",
    "Layout",
    "RejectedCall",
    "UnbilledMonth",
]
