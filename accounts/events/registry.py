"""What each app says of its events: its `audit` module, as `accounts.guards` collects `guards` modules."""

from collections.abc import Mapping, Sequence
from functools import cache

from accounts.events.sources import Source
from accounts.verbs import audit_modules


@cache
def all_sources() -> Sequence[Source]:
    """Return the sources of every app, from its list `SOURCES`."""
    return [source for module in audit_modules() for source in module.SOURCES]


@cache
def reasons() -> Mapping[str, str]:
    """Return what was tried and why not, in short words by the code of the rule, from each app's `REFUSALS`.

    `{tried}` in them stands for the value; other names are those of `facts`.
    """
    return {rule: words for module in audit_modules() for rule, words in module.REFUSALS.items()}


@cache
def facts() -> Mapping[str, object]:
    """Return the values that reasons name, from each app's `FACTS` where it has some."""
    return {name: value for module in audit_modules() for name, value in getattr(module, "FACTS", {}).items()}
