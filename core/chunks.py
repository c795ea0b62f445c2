"""Running actions on many accounts in chunks, so that one bad account never stops the others (I17)."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from django.db import DatabaseError, IntegrityError, transaction

from core.busy import ACCOUNT_IS_BUSY, is_busy
from core.guards import sentence_of

R = TypeVar("R")
T = TypeVar("T")

CHUNK = 5_000


def cut(items: Sequence[T], size: int) -> list[list[T]]:
    """Return the items in lists of `size`; the last one may be shorter."""
    return [list(items[first : first + size]) for first in range(0, len(items), size)]


def commit_or_bisect(
    keys: Sequence[int], write: Callable[[Sequence[int]], R], done: Callable[[R], None], refused: dict[int, str]
) -> None:
    """Run `write` on the accounts in one transaction, and pass its result to `done` after the commit.

    If the database refuses, split the accounts in halves and try each, until a bad account is alone: it is added to
    `refused`, by its key, with the reason.
    """
    try:
        with transaction.atomic():
            outcome = write(keys)
    except DatabaseError as error:
        if len(keys) == 1:
            refused[keys[0]] = _reason(error)
            return
        middle = len(keys) // 2
        for half in (keys[:middle], keys[middle:]):
            commit_or_bisect(half, write, done, refused)
        return
    done(outcome)


def _reason(error: DatabaseError) -> str:
    """Return a sentence that says why an account was refused."""
    if is_busy(error):
        return ACCOUNT_IS_BUSY
    sentence = sentence_of(error) if isinstance(error, IntegrityError) else None
    return str(sentence.text) if sentence else f"{error}".strip().partition("\n")[0]
