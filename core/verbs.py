"""Which verb a page or an action of the back office stands for: refusals are recorded under its name."""

from collections.abc import Callable
from typing import Any, Protocol, TypeVar, cast

View = TypeVar("View", bound=Callable[..., Any])


class _Named(Protocol):
    verb: str


def stands_for(verb: str) -> Callable[[View], View]:
    """Say of a function under which verb its refusals are recorded. What wraps the function says the same."""

    def mark(view: View) -> View:
        cast(_Named, view).verb = verb
        return view

    return mark


def verb_of(view: object) -> str:
    """Return the verb that a function stands for, or "" if nobody said so."""
    return getattr(view, "verb", "")
