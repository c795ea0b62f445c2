from billing.models.apart import CallFeed, CallRules, RejectedCall, SetAsideCall
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
    LateMonth,
)
from billing.models.calls import CallImport, CallRecord, CallVoid, Layout

__all__ = [
    "LINE_FIELDS",
    "BillRun",
    "BilledMonth",
    "CallFeed",
    "CallImport",
    "CallRecord",
    "CallRules",
    "CallVoid",
    "Counter",
    "CreditNote",
    "FailedBill",
    "HeldBill",
    "Invoice",
    "InvoiceLine",
    "LateMonth",
    "Layout",
    "RejectedCall",
    "SetAsideCall",
]
