"""The worked bills of `tests/cases`, each replayed through the app's actions and billed into real invoices."""

import json
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from billing.actions import run_bills
from billing.models import BillOnHold
from billing.replay import differences, replay
from config.environment import env
from tests.conftest import CASES, catalogue_content

PATHS = sorted([*CASES.glob("[0-9]*.json"), *CASES.glob("found/*.json")])


@pytest.fixture(autouse=True)
def default_holds(settings: Any) -> None:
    """Put bills on hold by the default settings, whatever the machine's settings are."""
    for name in ("USAGE_ABOVE", "USAGE_TIMES", "PRICE_TIMES", "TOTAL_ABOVE"):
        setattr(settings, f"BILL_HOLD_{name}", env.scheme[f"BILL_HOLD_{name}"][1])


def test_there_are_cases() -> None:
    assert len(PATHS) >= 24


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_every_line_of_the_case_comes_out(path: Path, catalogue: None) -> None:
    case = json.loads(path.read_text())
    result = replay(case, catalogue_content())
    assert differences(case["expected"], result) == []
    assert not BillOnHold.objects.exists()
    # Compare totals, months and the number of lines with the file again, without the help of `differences`.
    told = {
        month: invoice and (invoice["total"], len(invoice["lines"])) for month, invoice in result["invoices"].items()
    }
    expected = case["expected"]["invoices"].items()
    assert told == {month: invoice and (invoice["total"], len(invoice["lines"])) for month, invoice in expected}


def test_a_difference_is_told(db: None) -> None:
    case = json.loads(PATHS[0].read_text())
    result = replay(case, catalogue_content())
    case["expected"]["invoices"]["2026-03"]["lines"][0]["minutes"] += 1
    case["expected"]["invoices"]["2026-03"]["total"] = "2.85"
    case["expected"]["refused"].pop()
    assert [words.split(" ")[0] for words in differences(case["expected"], result)] == [
        "refused:", "2026-03:", "2026-03:", "2026-03:",
    ]  # fmt: skip


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_the_default_settings_hold_none_but_the_bill_below_zero(
    path: Path, catalogue: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def as_live(*args: Any, **options: Any) -> Any:
        return run_bills(*args, **{**options, "hold_unusual": True})

    monkeypatch.setattr("billing.replay.run_bills", as_live)
    replay(json.loads(path.read_text()), catalogue_content())
    held = set(BillOnHold.objects.values_list("month", "total"))
    below_zero = {(date(2026, 2, 1), Decimal("-3.60")), (date(2026, 3, 1), Decimal("-4.05"))}  # while February waits
    assert held == (below_zero if path.stem == "18-a-bill-below-zero" else set())
