"""The verb of a page or action of the back office, under whose name refusals are recorded."""

from collections.abc import Callable
from typing import Any, Protocol, TypeVar, cast

View = TypeVar("View", bound=Callable[..., Any])


class _Named(Protocol):
    verb: str


def stands_for(verb: str) -> Callable[[View], View]:
    """Decorate a function with the verb under which its refusals are recorded. Its wrappers inherit the verb."""

    def mark(view: View) -> View:
        cast(_Named, view).verb = verb
        return view

    return mark


def verb_of(view: object) -> str:
    """Return the verb of a function that was decorated with `stands_for`, otherwise an empty string."""
    return getattr(view, "verb", "")
