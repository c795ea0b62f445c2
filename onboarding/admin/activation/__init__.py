"""The page that activates one account or many, and what apps object to on it."""

from onboarding.admin.activation.forms import ChosenForm, joined
from onboarding.admin.activation.objections import OBJECTIONS, Objection, register_objection
from onboarding.admin.activation.pages import PERMISSION, SHOWN_IN_FULL, activation_page, keys_of

__all__ = [
    "OBJECTIONS",
    "PERMISSION",
    "SHOWN_IN_FULL",
    "ChosenForm",
    "Objection",
    "activation_page",
    "joined",
    "keys_of",
    "register_objection",
]
