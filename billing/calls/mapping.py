"""A column mapping: which column of a file is what, by its name or its number. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from billing.calls.cells import Unreadable, name_of

NEEDED = ("call_id", "to", "started_at", "seconds")
ROLES = (*NEEDED, "from", "leg")
ANSWERED = "answered"
LONGEST_COLUMN = 200
EXAMPLE = "call_id=Call ID"


@dataclass(frozen=True)
class ColumnMapping:
    """The columns of a file, by what is in them. `answered` is a column, and the values that mean an answered call.

    Without `answered`, every row is an answered call.
    """

    columns: Mapping[str, str]
    answered: tuple[str, frozenset[str]] | None = None

    @property
    def is_by_number(self) -> bool:
        """Whether every column is a number, so that the file needs no line with names."""
        return all(column.isdigit() for column in self.all_columns)

    @property
    def all_columns(self) -> list[str]:
        """The columns that are read, each as it was given."""
        return [*self.columns.values(), *([self.answered[0]] if self.answered else [])]

    def place_of(self, column: str, names: Sequence[str]) -> int | None:
        """Return the index of a column by its name, or otherwise by its number; None if it is neither."""
        if (name := name_of(column)) in names:
            return names.index(name)
        return int(column) - 1 if column.isdigit() else None


def mapping_of(given: Mapping[str, str]) -> ColumnMapping:
    """Return the mapping of the given columns, like {"call_id": "Call ID"}. Raises Unreadable if it is not valid."""
    wanted = {role: column.strip() for role, column in given.items() if column.strip()}
    if unknown := [role for role in wanted if role not in (*ROLES, ANSWERED)]:
        raise Unreadable(
            "bad_mapping", f"A mapping can't say which column is {unknown[0]}, only {', '.join((*ROLES, ANSWERED))}."
        )
    if missing := [role for role in NEEDED if role not in wanted]:
        raise Unreadable(
            "bad_mapping", f"The mapping must name the columns {', '.join(NEEDED)}; {missing[0]} is missing."
        )
    answered = _answered_of(wanted.pop(ANSWERED)) if ANSWERED in wanted else None
    mapping = ColumnMapping(wanted, answered)
    for column in mapping.all_columns:
        if len(column) > LONGEST_COLUMN:
            raise Unreadable("bad_mapping", f"A column's name has at most {LONGEST_COLUMN} characters.")
        if column.isdigit() and not 1 <= int(column) <= 1_000:
            raise Unreadable("bad_mapping", f"Column {column[:10]} can't be: columns are counted from 1.")
    return mapping


def given_by(texts: Iterable[str]) -> dict[str, str]:
    """Return the columns in texts like “call_id=Call ID”, for `mapping_of`. Raises Unreadable for any other text."""
    given: dict[str, str] = {}
    for text in texts:
        role, equals, column = text.partition("=")
        role = role.strip().lower()
        if not equals or not column.strip():
            raise Unreadable("bad_mapping", f"“{text[:80]}” does not say which column is what, like {EXAMPLE}.")
        if role in given:
            raise Unreadable("bad_mapping", f"The mapping names two columns for {role[:20]}.")
        given[role] = column.strip()
    return given


def _answered_of(text: str) -> tuple[str, frozenset[str]]:
    column, colon, values = text.rpartition(":")
    found = frozenset(value.strip().casefold() for value in values.split("|") if value.strip())
    if not colon or not column.strip() or not found:
        raise Unreadable(
            "bad_mapping", f"“{text[:80]}” does not say which value means answered, like Result:Answered|Completed."
        )
    return column.strip(), found
