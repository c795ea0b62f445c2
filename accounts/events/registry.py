"""What each app says of its events: its `audit` module, as `accounts.guards` collects `guards` modules."""

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
    """Return the sources of every app, from its list `SOURCES`."""
    return [source for module in _modules() for source in module.SOURCES]


@cache
def verbs() -> Mapping[str, str]:
    """Return what people call the verbs that are refused, from each app's `VERBS`."""
    return {verb: words for module in _modules() for verb, words in module.VERBS.items()}


@cache
def reasons() -> Mapping[str, str]:
    """Return what was tried and why not, in short words by the code of the rule, from each app's `REFUSALS`.

    `{tried}` in them stands for the value; other names are those of `facts`.
    """
    return {rule: words for module in _modules() for rule, words in module.REFUSALS.items()}


@cache
def facts() -> Mapping[str, object]:
    """Return the values that reasons name, from each app's `FACTS` where it has some."""
    return {name: value for module in _modules() for name, value in getattr(module, "FACTS", {}).items()}


@cache
def untold() -> frozenset[str]:
    """Return the verbs that customers know nothing of, from each app's `UNTOLD` where it has one."""
    return frozenset(verb for module in _modules() for verb in getattr(module, "UNTOLD", ()))
