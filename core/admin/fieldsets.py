"""The groups of fields of a form in the admin."""

from collections.abc import Collection, Sequence
from typing import Any


def fieldsets_without(fieldsets: Sequence[tuple[Any, dict[str, Any]]], names: Collection[str]) -> Any:
    """Return the fieldsets without these fields, and without the groups that have no others."""
    kept = []
    for title, options in fieldsets:
        lines = [(line,) if isinstance(line, str) else line for line in options["fields"]]
        shown = [left for line in lines if (left := tuple(name for name in line if name not in names))]
        if shown:
            kept.append((title, {**options, "fields": shown}))
    return kept
