"""Collects what each app declares about its events in its `audit` module."""

from collections.abc import Mapping, Sequence
from functools import cache

from accounts.events.sources import Source
from accounts.verbs import audit_modules
from core.guards import LazyStr


@cache
def all_sources() -> Sequence[Source]:
    """Return the sources of all apps, from each app's list `SOURCES`."""
    return [source for module in audit_modules() for source in module.SOURCES]


@cache
def reasons() -> Mapping[str, str]:
    """Return a short text for each reason of a refusal, by the code of the rule, from each app's `REFUSALS`.

    The placeholder `{tried}` is the value that was tried; other placeholders are names in `reason_values`.
    """
    return {rule: words for module in audit_modules() for rule, words in module.REFUSALS.items()}


@cache
def fields() -> Mapping[str, LazyStr]:
    """Return what the fields of forms are called at which something was refused, from each app's `FIELDS` if any."""
    return {name: label for module in audit_modules() for name, label in getattr(module, "FIELDS", {}).items()}


@cache
def reason_values() -> Mapping[str, object]:
    """Return the values of the placeholders in `reasons`, from each app's `REASON_VALUES` if it has any."""
    return {name: value for module in audit_modules() for name, value in getattr(module, "REASON_VALUES", {}).items()}
