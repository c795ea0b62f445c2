"""The verbs that refusals are recorded under: what people call them, and which of them customers never see.

Each app lists its own in its `audit.py`: `VERBS` in the words of customers, `HIDDEN_FROM_CUSTOMERS` in the words of the
team, and in `FORMER_NAMES` what rows of earlier versions call them. Nothing else is ever recorded.
"""

import importlib
from collections.abc import Mapping
from functools import cache
from importlib.util import find_spec
from types import ModuleType

from django.apps import apps
from django.utils.translation import gettext_noop

OPEN_PAGE = "open_page"  # of a customer's page that stands for no other verb
BACK_OFFICE = "back_office"  # of a page of the admin that stands for no other verb
UNKNOWN = gettext_noop("Another action")  # of a version that is not this one


def audit_modules() -> list[ModuleType]:
    """Return the module `audit` of each app that has one."""
    names = [f"{config.name}.audit" for config in apps.get_app_configs()]
    return [importlib.import_module(name) for name in names if find_spec(name)]


def _listed(name: str) -> Mapping[str, str]:
    return {key: value for module in audit_modules() for key, value in getattr(module, name, {}).items()}


@cache
def customers_verbs() -> Mapping[str, str]:
    """Return what customers call the verbs that may be refused to them."""
    return _listed("VERBS")


@cache
def hidden_from_customers() -> Mapping[str, str]:
    """Return what the team calls its own verbs, of which customers never read."""
    return _listed("HIDDEN_FROM_CUSTOMERS")


@cache
def former_names() -> Mapping[str, str]:
    """Return the verbs by the names that earlier versions recorded: of views and of addresses."""
    return _listed("FORMER_NAMES")


def is_verb(name: str) -> bool:
    """Return whether refusals may be recorded under this name."""
    return name in customers_verbs() or name in hidden_from_customers()


def verb_in_words(recorded: str) -> str:
    """Return what people call a recorded verb, before translation; never the recorded name itself."""
    verb = former_names().get(recorded, recorded)
    return customers_verbs().get(verb) or hidden_from_customers().get(verb) or UNKNOWN
