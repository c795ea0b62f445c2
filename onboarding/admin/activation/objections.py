"""What speaks against activating an account today. Each app registers its objections; the page shows what it finds.

An account belongs to the group of its first objection, in the order of `place`.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from core.admin.composed import insert
from onboarding.activating import Veto
from onboarding.models import Onboarding
from onboarding.objections import extended, scheduled, wanted_later
from onboarding.worklist import planned


@dataclass(frozen=True, eq=False)
class Objection:
    """A reason not to activate accounts yet, with the title of their group.

    The page posts `name` with a tick, so it consists of lowercase letters and underscores.
    `load` gets rows of the worklist with their `account` and local day `today`. It returns the objection in words by
    the account's key, in a number of queries that doesn't grow, and leaves out accounts to which it doesn't apply.
    """

    name: str
    title: str
    place: int
    load: Callable[[Sequence[Any]], Mapping[int, str]]


OBJECTIONS: list[Objection] = []
Ticks = Mapping[int, Collection[str]]
"""The accounts that were ticked, by key, with the names of the objections that were shown with the box."""


def register_objection(objection: Objection) -> None:
    insert(objection, OBJECTIONS)


def rows_of(accounts: Collection[int], now: datetime) -> list[Any]:
    """Return the rows of those of these accounts that are in onboarding, the oldest first, with `today`."""
    waiting = planned(Onboarding.objects.in_onboarding().filter(account__in=accounts).oldest_first())
    rows = list(waiting.select_related("account", "scheduled_by"))
    for row in rows:
        row.today = row.account.day_of(now)
    return rows


def objections_to(rows: Sequence[Any]) -> dict[int, dict[str, str]]:
    """Return by account key what speaks against activating it, by the name of the objection; without other accounts."""
    found: dict[int, dict[str, str]] = {}
    for objection in OBJECTIONS:
        for account, words in objection.load(rows).items():
            found.setdefault(account, {})[objection.name] = words
    return found


def in_words(objections: Mapping[str, str]) -> str:
    return "; ".join(objections.values())


def unticked(objections: Mapping[int, Mapping[str, str]], ticked: Ticks) -> dict[int, str]:
    """Return by key, in words, what speaks against accounts that nobody ticked.

    A tick counts only if each objection that there is now was shown with it.
    """
    return {key: in_words(now) for key, now in objections.items() if not now.keys() <= set(ticked.get(key, ()))}


def unless_ticked(ticked: Ticks) -> Veto:
    """Return what `activate_many` asks under the accounts' locks: why accounts that nobody ticked are left out."""

    def against(keys: Sequence[int], now: datetime) -> Mapping[int, str]:
        return unticked(objections_to(rows_of(keys, now)), ticked)

    return against


def _each(words: Callable[[Any, date], str]) -> Callable[[Sequence[Any]], Mapping[int, str]]:
    """Return a `load` that asks a function of the row and its local day, without queries."""
    return lambda rows: {row.account_id: said for row in rows if (said := words(row, row.today))}


register_objection(Objection("scheduled", "Activation scheduled", place=10, load=_each(scheduled)))
register_objection(Objection("wanted_later", "Customer asked for a later day", place=20, load=_each(wanted_later)))
register_objection(Objection("extended", "Custom or removed deadline", place=30, load=_each(extended)))
