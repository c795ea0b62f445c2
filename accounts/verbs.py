"""The verbs under which refusals are recorded: their labels, and which of them customers never see.

Each app lists its own verbs in its `audit.py`: `VERBS` with labels for customers, `HIDDEN_FROM_CUSTOMERS` with labels
for the team, and `FORMER_NAMES` with the names in rows of earlier versions. No other names are ever recorded.
"""

import importlib
from collections.abc import Mapping
from functools import cache
from importlib.util import find_spec
from types import ModuleType

from django.apps import apps
from django.utils.translation import gettext_noop

OPEN_PAGE = "open_page"  # for customers' pages without a verb of their own
BACK_OFFICE = "back_office"  # for admin pages without a verb of their own
UNKNOWN = gettext_noop("Another action")  # for verbs of other versions


def audit_modules() -> list[ModuleType]:
    """Return the `audit` module of each app that has one."""
    names = [f"{config.name}.audit" for config in apps.get_app_configs()]
    return [importlib.import_module(name) for name in names if find_spec(name)]


def _listed(name: str) -> Mapping[str, str]:
    return {key: value for module in audit_modules() for key, value in getattr(module, name, {}).items()}


@cache
def customers_verbs() -> Mapping[str, str]:
    """Return the labels, by name, of the verbs that customers may see."""
    return _listed("VERBS")


@cache
def hidden_from_customers() -> Mapping[str, str]:
    """Return the labels, by name, of the team's verbs, which customers never see."""
    return _listed("HIDDEN_FROM_CUSTOMERS")


@cache
def former_names() -> Mapping[str, str]:
    """Return the verbs by the names that earlier versions recorded, which are those of views and URLs."""
    return _listed("FORMER_NAMES")


def is_verb(name: str) -> bool:
    """Return whether refusals may be recorded under this name."""
    return name in customers_verbs() or name in hidden_from_customers()


def verb_in_words(recorded: str) -> str:
    """Return the untranslated label of a recorded verb; if it is unknown, a general label instead of its name."""
    verb = former_names().get(recorded, recorded)
    return customers_verbs().get(verb) or hidden_from_customers().get(verb) or UNKNOWN
