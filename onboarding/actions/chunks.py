"""How the verbs on many accounts run: chunk by chunk, and one bad account never stops the others (I17)."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from django.db import DatabaseError, IntegrityError, transaction

from accounts.guards import sentence_of

R = TypeVar("R")

CHUNK = 5_000


def in_halves(
    keys: Sequence[int], write: Callable[[Sequence[int]], R], done: Callable[[R], None], refused: dict[int, str]
) -> None:
    """Run `write` on the accounts in one transaction and hand what it returns to `done` once that is committed.

    Where the database refuses, halve them until the bad account stands alone: it is put into `refused` with the reason.
    """
    try:
        with transaction.atomic():
            outcome = write(keys)
    except DatabaseError as error:
        if len(keys) == 1:
            sentence = sentence_of(error) if isinstance(error, IntegrityError) else None
            refused[keys[0]] = str(sentence.text) if sentence else f"{error}".strip().partition("\n")[0]
            return
        middle = len(keys) // 2
        for half in (keys[:middle], keys[middle:]):
            in_halves(half, write, done, refused)
        return
    done(outcome)
