from billing.models.apart import CallFeed, CallRules, RejectedCall, SetAsideCall
from billing.models.bills import (
    LINE_FIELDS,
    BilledMonth,
    BillOnHold,
    BillRun,
    Counter,
    FailedBill,
    Invoice,
    InvoiceLine,
)
from billing.models.calls import CallImport, CallRecord, CallVoid, Layout
from billing.models.credit_notes import CreditNote
from billing.models.deliveries import Delivery
from billing.models.documents import CreditNoteDocument, Document, InvoiceDocument, Presentation
from billing.models.gaps import NumberGap
from billing.models.mappings import CallMapping
from billing.models.months import LateMonth, UnbilledMonth
from billing.models.parties import BillingProfile, Issuer

__all__ = [
    "LINE_FIELDS",
    "BillOnHold",
    "BillRun",
    "BilledMonth",
    "BillingProfile",
    "CallFeed",
    "CallImport",
    "CallMapping",
    "CallRecord",
    "CallRules",
    "CallVoid",
    "Counter",
    "CreditNote",
    "CreditNoteDocument",
    "Delivery",
    "Document",
    "FailedBill",
    "Invoice",
    "InvoiceDocument",
    "InvoiceLine",
    "Issuer",
    "LateMonth",
    "Layout",
    "NumberGap",
    "Presentation",
    "RejectedCall",
    "SetAsideCall",
    "UnbilledMonth",
]
