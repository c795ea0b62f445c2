"""The ledger and `billing` compared with a naive implementation of the policy, over random histories.

`CHARGES_EXAMPLES=20000 pytest tests/billing/pricing/test_charges_by_day.py` tries more examples than the suite does.
"""

import os
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import count
from math import ceil, floor

from hypothesis import HealthCheck, given, settings

from billing.pricing.charges import Held, Line, Rate, Tariff, current_lines, owed
from billing.pricing.settlement import to_invoice
from onboarding.models import Onboarding
from onboarding.rules import is_free_until
from subscriptions import ledger
from subscriptions.kinds import ORDER_ON_BILL
from tests.billing.histories import lives, run_delays
from tests.billing.pricing import daybyday
from tests.billing.pricing.daybyday import Call, Life, first_moment

examples = settings(
    max_examples=int(os.environ.get("CHARGES_EXAMPLES", "200")),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)


@examples
@given(lives(), run_delays)
def test_invoices_are_those_of_the_naive_reading(life: Life, delays: list[int]) -> None:
    runs = run_moments(life, delays)
    expected = daybyday.invoices(life, runs)
    held = held_by(life)
    activated_on = life.activated.astimezone(life.zone).date() if life.activated else None
    invoiced: list[Line] = []
    for (month, at), naive in zip(runs, expected, strict=True):
        minutes = minutes_of(life, at)
        stand = {each: current_lines(each, held, minutes, activated_on) for each, _ in runs if each <= month}
        lines = to_invoice(month, stand, invoiced)
        assert as_naive(lines) == sorted(naive, key=repr)
        own = [line for line in lines if line.month == month]
        assert own == owed(month, held, minutes, activated_on)
        for line in lines:
            assert line.amount == recomputed(line), "a line carries all that its amount is computed from"
        invoiced += lines
        assert to_invoice(month, stand, invoiced) == [], "a second run finds nothing left to bill"
        for each in stand:  # policy 12: once everything is billed, what was invoiced for a month is what is owed for it
            billed = sum(line.amount for line in invoiced if line.month == each)
            assert billed == sum(line.amount for line in stand[each])
    months = [each for each, _ in runs]
    days = daybyday.held_in(life, months)
    minutes = minutes_of(life, datetime.max.replace(tzinfo=UTC))
    for each in months:  # with usage lines of 0.00
        naive = daybyday.bill(life, each, days, life.calls)
        assert as_naive(current_lines(each, held, minutes, activated_on)) == sorted(naive, key=repr)


def run_moments(life: Life, delays: list[int]) -> list[tuple[date, datetime]]:
    """Return each month since the install, and when it is billed: hours after its end in the account's time zone."""
    runs: list[tuple[date, datetime]] = []
    month = life.installed.astimezone(life.zone).date().replace(day=1)
    for delay in delays:
        end = (month + timedelta(days=31)).replace(day=1)
        runs.append((month, first_moment(end, life.zone) + timedelta(hours=delay)))
        month = end
    return runs


def held_by(life: Life) -> list[Held]:
    """Return the ledger that results from all purchases, if each rewrites every place as `write_change` does."""
    tariffs = {sku: tariff_of(life, sku) for sku in life.catalogue}
    keys = {sku: key for key, sku in enumerate(life.catalogue)}
    rows: dict[str, list[ledger.Row]] = {}
    state: dict[str, ledger.Held | None] = {}
    row_keys = count()
    mode = Onboarding(activated_at=life.activated)
    for at, field, value in life.purchases:
        moment = at.astimezone(life.zone)
        if field in ("storage", "package"):
            state[field] = ledger.Held(keys[value], 1, rank=1 + life.catalogue[value].size)
        elif field == "seats":
            state[field] = ledger.Held(keys[life.product], value, rank=value) if value else None
        else:
            state[field] = ledger.Held(keys[field], 1, rank=1) if value else None
        for place, wanted in state.items():
            valid = rows.get(place, [])
            today = moment.date()
            reaching = [row for row in valid if row.end is None or row.end > today]
            outcome = ledger.rewrite(
                reaching,
                wanted,
                today=today,
                day_begins=at == first_moment(today, life.zone) or is_free_until(mode, at),
                reductions_wait=place == "package",
            )
            kept = [row for row in valid if row.key not in outcome.superseded]
            written = [ledger.Row(row.held, row.start, row.end, key=next(row_keys)) for row in outcome.written]
            rows[place] = kept + written
    skus = list(life.catalogue)
    return [
        Held(tariffs[skus[row.held.item]], row.held.quantity, row.start, row.end)
        for place in rows.values()
        for row in place
    ]


def tariff_of(life: Life, sku: str) -> Tariff:
    item = life.catalogue[sku]
    prices = [price for price in life.prices if price.sku == sku]
    rates = tuple(Rate(price.since, decimal(price.monthly, 2), decimal(price.per_minute, 4)) for price in prices)
    minutes = item.size if item.kind == "package" else 0
    return Tariff(sku, item.kind, item.per_seat, rates, minutes, ORDER_ON_BILL[item.kind])


def minutes_of(life: Life, at: datetime) -> dict[date, int]:
    """Return the minutes by local day of the calls received until `at`, with each id once."""
    calls: dict[str, Call] = {call.id: call for call in life.calls if call.received <= at}
    minutes: dict[date, int] = {}
    for call in calls.values():
        day = call.started.astimezone(life.zone).date()
        minutes[day] = minutes.get(day, 0) + -(-call.seconds // 60)
    return minutes


def decimal(amount: Fraction | None, places: int) -> Decimal | None:
    return None if amount is None else Decimal(int(amount * 10**places)).scaleb(-places)


def as_naive(lines: Iterable[Line]) -> list[daybyday.Line]:
    return sorted(
        (
            daybyday.Line(
                line.kind,
                line.sku,
                line.month,
                line.first,
                line.last,
                line.quantity,
                Fraction(line.unit_price),
                Fraction(line.amount),
                line.minutes,
                line.included,
            )
            for line in lines
        ),
        key=repr,
    )


def recomputed(line: Line) -> Fraction:
    """Return the amount of a line, computed from the line's other values, as a page shows it."""
    if line.kind == "recurring":
        exact = Fraction(line.unit_price) * line.quantity * line.days / line.days_in_month
        return Fraction(floor(exact * 100 + Fraction(1, 2)), 100)
    assert line.minutes is not None
    assert line.package_minutes is not None
    assert line.included == ceil(Fraction(line.package_minutes * line.days, line.days_in_month))
    assert line.quantity == max(0, line.minutes - line.included)
    stands = Fraction(floor(Fraction(line.unit_price) * line.quantity * 100 + Fraction(1, 2)), 100)
    return stands if line.kind == "usage" else stands - Fraction(line.invoiced)
