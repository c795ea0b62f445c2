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
)
from billing.models.calls import CallImport, CallRecord, CallVoid, Layout
from billing.models.mappings import CallMapping
from billing.models.months import LateMonth, UnbilledMonth

__all__ = [
    "LINE_FIELDS",
    "BillRun",
    "BilledMonth",
    "CallFeed",
    "CallImport",
    "CallMapping",
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
    "UnbilledMonth",
]
