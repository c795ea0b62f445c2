"""Papers to print in tests: plain texts in the form of `Paper.as_json`."""

import json
from pathlib import Path
from typing import Any

KEPT = Path(__file__).parent / "kept"


def paper(**other: Any) -> dict[str, Any]:
    """Return the texts of the kept example of the first templates, some of them replaced."""
    texts: dict[str, Any] = json.loads((KEPT / "1.json").read_text())
    return {**texts, **other}


def line(title: str, **other: str) -> dict[str, str]:
    """Return the texts of a line."""
    return {"title": title, "how": "$10.00 for the full month", "days": "Oct 1–31, 2026", "amount": "$10.00", **other}
