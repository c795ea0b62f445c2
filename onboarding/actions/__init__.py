from onboarding.actions.activation import (
    CHUNK,
    Activations,
    activate,
    activate_many,
    checked_reason,
    refusals_of,
    require_activator,
)
from onboarding.actions.go_live import request_go_live, withdraw_go_live
from onboarding.actions.refusals import no_contact_center

__all__ = [
    "CHUNK",
    "Activations",
    "activate",
    "activate_many",
    "checked_reason",
    "no_contact_center",
    "refusals_of",
    "request_go_live",
    "require_activator",
    "withdraw_go_live",
]
