"""What the page shows of the chosen accounts: those to activate, those with objections, and those that can't be."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from onboarding.activating import refusals_of
from onboarding.admin.activation.objections import OBJECTIONS, Ticks, in_words, objections_to, rows_of, unticked

MOST_TICKED = 500


class Review:
    """The chosen accounts as they are now, in a number of queries that doesn't grow with them.

    `refused` says by key why accounts can't be activated. `clear` are the rows to which nothing is objected, and
    `objected` the others, all the oldest first. Each row has `days`, its age, and `against`, the objections in words.
    """

    def __init__(self, accounts: Sequence[int], now: datetime) -> None:
        self.refused = refusals_of(accounts)
        rows = rows_of([key for key in accounts if key not in self.refused], now)
        self._against = objections_to(rows)
        for row in rows:
            row.days = row.age(now).days
            row.against = list(self._against.get(row.account_id, {}).values())
        self.clear = [row for row in rows if not row.against]
        self.objected = [row for row in rows if row.against]

    @property
    def clear_keys(self) -> list[int]:
        return [row.account_id for row in self.clear]

    @property
    def keys(self) -> list[int]:
        """The keys of all accounts that can be activated."""
        return [*self.clear_keys, *(row.account_id for row in self.objected)]

    @property
    def shown(self) -> list[Any]:
        """The rows that can be ticked; there are no more, since each is to be looked at."""
        return self.objected[:MOST_TICKED]

    def groups(self, ticked: Ticks) -> Iterator[tuple[str, list[Any]]]:
        """Yield the title and rows of each group of objections. A row has `is_ticked`, and `tick`, its box's value."""
        left_out = self.left_out(ticked)
        for row in self.shown:
            row.is_ticked = row.account_id not in left_out
            row.tick = f"{row.account_id}:{','.join(self._against[row.account_id])}"
        for objection in OBJECTIONS:
            rows = [row for row in self.shown if next(iter(self._against[row.account_id])) == objection.name]
            if rows:
                yield objection.title, rows

    def chosen(self, ticked: Ticks) -> list[int]:
        """Return the keys of the accounts to activate: those without objections, and those that were ticked."""
        left_out = self.left_out(ticked)
        return [key for key in self.keys if key not in left_out]

    def left_out(self, ticked: Ticks) -> dict[int, str]:
        """Return by key why accounts are left out that nobody ticked with these objections shown."""
        return unticked(self._against, ticked)

    def not_shown(self) -> dict[int, str]:
        """Return by key the objections to accounts that can't be ticked, since they are too many."""
        return {row.account_id: in_words(self._against[row.account_id]) for row in self.objected[MOST_TICKED:]}
