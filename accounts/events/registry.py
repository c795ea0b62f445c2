"""Collects what each app declares about its events in its `audit` module."""

import importlib
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.util import find_spec
from types import ModuleType

from django.apps import apps

from accounts.events.sources import Source


def _modules() -> list[ModuleType]:
    names = [f"{config.name}.audit" for config in apps.get_app_configs()]
    return [importlib.import_module(name) for name in names if find_spec(name)]


@cache
def all_sources() -> Sequence[Source]:
    """Return the sources of all apps, from each app's list `SOURCES`."""
    return [source for module in _modules() for source in module.SOURCES]


@cache
def verbs() -> Mapping[str, str]:
    """Return the label of each action that can be refused, by its name, from each app's `VERBS`."""
    return {verb: words for module in _modules() for verb, words in module.VERBS.items()}


@cache
def reasons() -> Mapping[str, str]:
    """Return a short text for each reason of a refusal, by the code of the rule, from each app's `REFUSALS`.

    The placeholder `{tried}` is the value that was tried; other placeholders are names in `facts`.
    """
    return {rule: words for module in _modules() for rule, words in module.REFUSALS.items()}


@cache
def facts() -> Mapping[str, object]:
    """Return the values of the placeholders in `reasons`, from each app's `FACTS` if it has any."""
    return {name: value for module in _modules() for name, value in getattr(module, "FACTS", {}).items()}


@cache
def untold() -> frozenset[str]:
    """Return the actions whose refusals are hidden from customers, from each app's `UNTOLD` if it has any."""
    return frozenset(verb for module in _modules() for verb in getattr(module, "UNTOLD", ()))
