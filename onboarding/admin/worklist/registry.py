"""What is on the worklist. Each app registers its columns, filters, panels and loaders; the page shows what it finds.

The order is that of `place`. tests/onboarding/test_worklist_registry.py lists all there is, in its order.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from django.contrib.admin import SimpleListFilter

from core.admin.composed import Page, check_differs, insert

T = TypeVar("T")


@dataclass(frozen=True, eq=False)
class Loader(Generic[T]):
    """A fact about accounts that is fetched for all rows of a page at once, in a number of queries that doesn't grow.

    `load` gets the rows and returns the fact by the account's key; `missing` stands for accounts it leaves out. A row
    has its `account`, and as `today` the day it is where the account is.
    """

    name: str
    load: Callable[[Sequence[Any]], Mapping[int, T]]
    missing: T

    def of(self, row: Any) -> T:
        """Return the fact about the account of a row that was loaded."""
        fact: T = row.loaded[self.name]
        return fact


@dataclass(frozen=True, eq=False)
class Export:
    """A column of the CSV: its title, its value for a row, and its place among the others."""

    title: str
    value: Callable[[Any], object]
    place: int


@dataclass(frozen=True, eq=False)
class Column:
    """A column of the list: what it shows of a row, what it is sorted by, and what of it stands in the CSV.

    `show` returns a cell, or None for a dash. `sort_by` is a field or an expression, or a function of the instant that
    returns one, which is called only if the list is sorted by this column.
    """

    name: str
    title: str
    place: int
    show: Callable[[Any], object]
    sort_by: Any
    exports: Sequence[Export] = ()
    is_link: bool = False

    # What Django's admin asks a function in `list_display`.
    empty_value_display = "–"

    def __call__(self, row: Any) -> object:
        return self.show(row)

    @property
    def __name__(self) -> str:
        return self.name

    @property
    def short_description(self) -> str:
        return self.title

    @property
    def admin_order_field(self) -> Any:
        """What it is sorted by; of a function only a name, by which Django sees that it can be sorted."""
        return self.name if callable(self.sort_by) else self.sort_by


@dataclass(frozen=True, eq=False)
class Filter:
    """A filter of the list. `shortcuts` are those of its values that are one click away, above the list, in words."""

    filter: type[SimpleListFilter]
    place: int
    shortcuts: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The name in addresses."""
        return str(self.filter.parameter_name)


@dataclass
class Worklist(Page):
    """What apps have registered with the worklist, and with the page of an account on it."""

    columns: list[Column] = field(default_factory=list)
    filters: list[Filter] = field(default_factory=list)
    loaders: list[Loader[Any]] = field(default_factory=list)

    def register_column(self, column: Column) -> None:
        for export in column.exports:
            check_differs(export, self.exports, "title")
            check_differs(export, self.exports, "place")
        insert(column, self.columns)

    def register_filter(self, new: Filter) -> None:
        insert(new, self.filters)

    def register_loader(self, loader: Loader[Any]) -> None:
        check_differs(loader, self.loaders, "name")
        self.loaders.append(loader)

    @property
    def exports(self) -> list[Export]:
        """The columns of the CSV, in its order."""
        return sorted((export for column in self.columns for export in column.exports), key=lambda each: each.place)

    @property
    def shortcuts(self) -> dict[tuple[str, str], str]:
        """The words of each shortcut, by the name of its filter and the value."""
        return {(each.name, value): words for each in self.filters for value, words in each.shortcuts.items()}

    def load(self, rows: Sequence[Any]) -> None:
        """Put on each row what the loaders know of its account."""
        for row in rows:
            row.loaded = {}
        for loader in self.loaders:
            facts = loader.load(rows)
            for row in rows:
                row.loaded[loader.name] = facts.get(row.account_id, loader.missing)


WORKLIST = Worklist()
