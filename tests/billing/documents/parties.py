"""Issuers and billing profiles for tests."""

from datetime import date
from typing import Any

from billing.models import BillingProfile, Issuer

PROFILE: dict[str, Any] = {
    "legal_name": "Acme Support, LLC",
    "street": "500 Market Street",
    "street_2": "Floor 3",
    "city": "Portland",
    "region": "OR",
    "postal_code": "97201",
    "country": "US",
    "tax_number": "98-7654321",
    "purchase_order": "PO-7",
    "invoice_email": "invoices@acme.example.com",
    "language": "en",
}


def profile(**other: Any) -> BillingProfile:
    """Return a new billing profile that is not saved."""
    return BillingProfile(**{**PROFILE, **other})


def issuer(**other: Any) -> Issuer:
    """Return a new issuer that is not saved."""
    values = {
        "effective_from": date(2026, 1, 1),
        "legal_name": "Other Telecom, Inc.",
        "street": "2 Side Street",
        "city": "Shelbyville",
        "country": "CA",
        "email": "money@other.example.com",
        "terms_days": 10,
        "payment_instructions": "Pay in cash.",
    }
    return Issuer(**{**values, **other})
