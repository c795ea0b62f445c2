"""The triggers that keep the parties that documents refer to as they were (I22)."""

from core.guards import Guard, append_only

GUARDS: list[Guard] = [
    *append_only("billing_issuer", "What documents say about the provider"),
    *append_only("billing_billingprofile", "A version of a billing profile"),
]
