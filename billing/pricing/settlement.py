"""Computes what is left to bill: "what is owed up to now, less what was invoiced" (billing-policy.md, 11 and 12).

Works on plain values like `billing.pricing.charges`: no queries, no Django, no clock.
"""

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal

from billing.pricing.charges import ADJUSTMENT, RECURRING, USAGE, Line

Run = tuple[str, date, date]
"""What identifies a usage line and its adjustments: the package's SKU, the first and the last day."""


def to_invoice(month: date, current_lines: Mapping[date, Iterable[Line]], invoiced: Iterable[Line]) -> list[Line]:
    """Return the lines of a month's invoice: its own, then an adjustment for each earlier usage line that now differs.

    `current_lines` has the current lines (`charges.current_lines`) of the month, and of earlier months that were
    billed. Leave out earlier months that were not billed yet: their own run will bill them, and they must not be billed
    as adjustments. `invoiced` are the lines of all invoices so far, with adjustments but without credit notes; lines of
    months that are not in `current_lines` are ignored. Raises ValueError if `current_lines` has a later month.

    Only usage is adjusted: nothing that a customer or a late call can do changes recurring charges of past days, and a
    month's recurring lines are invoiced together, once. If a run of days was invoiced and is no longer owed, a line of
    0 minutes takes it back. Once its result is invoiced, the same call returns nothing (12).
    """
    if current_lines and max(current_lines) > month:
        raise ValueError(f"{max(current_lines)} is later than the month that is billed, {month}.")
    before: dict[date, list[Line]] = {each: [] for each in current_lines}
    for line in invoiced:
        if line.month in before:
            before[line.month].append(line)
    lines: list[Line] = []
    for each in (month, *sorted(current_lines.keys() - {month})):
        if each == month and not before.get(each):  # most accounts, each month
            lines += [line for line in current_lines.get(each, ()) if line.amount]
            continue
        if each == month and not any(line.kind == RECURRING for line in before.get(each, ())):
            lines += [line for line in current_lines.get(each, ()) if line.kind == RECURRING and line.amount]
        lines += _usage(current_lines.get(each, ()), before.get(each, ()), adjusts=each != month)
    return lines


def _usage(current_lines: Iterable[Line], invoiced: Iterable[Line], *, adjusts: bool) -> list[Line]:
    """Return the lines for a month's usage, less what was invoiced. `adjusts` says that the month was billed before."""
    amounts: dict[Run, Decimal] = {}
    latest: dict[Run, Line] = {}
    for line in invoiced:
        if line.kind != RECURRING:
            amounts[_run(line)] = amounts.get(_run(line), Decimal(0)) + line.amount
            latest[_run(line)] = line
    lines = []
    for line in current_lines:
        if line.kind == USAGE:
            before = amounts.pop(_run(line), None)
            if before is None and not adjusts:
                lines.append(line)
            else:
                lines.append(_adjustment(line, before or Decimal("0.00")))
    for run, before in amounts.items():
        gone = latest[run]._replace(quantity=0, minutes=0, included=0, package_minutes=0, amount=Decimal("0.00"))
        lines.append(_adjustment(gone, before))
    return [line for line in lines if line.amount]


def _adjustment(line: Line, before: Decimal) -> Line:
    return line._replace(kind=ADJUSTMENT, amount=line.amount - before, invoiced=before)


def _run(line: Line) -> Run:
    return (line.sku, line.first, line.last)
