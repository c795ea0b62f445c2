"""`to_invoice`: late calls are billed once, in whatever order they come, and nothing else changes."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

import pytest

from billing.pricing.charges import Held, Line, Tariff, current_lines
from billing.pricing.settlement import to_invoice
from tests.billing.conftest import priced_anew, tariff

JANUARY, FEBRUARY, MARCH = date(2026, 1, 1), date(2026, 2, 1), date(2026, 3, 1)
LIVE = date(2025, 1, 1)
SMALL = tariff("tf-500", "package", "18.00", minutes=500, rate="0.0420")
PAY_PER_USE = tariff("tf-payperuse", "package", "0.00", rate="0.0450")


def stand(*months: date, minutes: dict[date, int], package: Tariff = SMALL) -> dict[date, list[Line]]:
    return {month: current_lines(month, [Held(package, 1, LIVE)], minutes, LIVE) for month in months}


def told(lines: Sequence[Line]) -> list[tuple[str, int, int | None, int, str]]:
    """Return the (kind, month, minutes, charged minutes, amount) of each line."""
    return [(line.kind, line.month.month, line.minutes, line.quantity, str(line.amount)) for line in lines]


def test_the_first_invoice_is_the_months_own_lines() -> None:
    lines = to_invoice(JANUARY, stand(JANUARY, minutes={JANUARY: 501}), [])
    assert told(lines) == [("recurring", 1, None, 1, "18.00"), ("usage", 1, 501, 1, "0.04")]


def test_a_second_run_finds_nothing_left() -> None:
    stands = stand(JANUARY, FEBRUARY, minutes={JANUARY: 501, FEBRUARY: 600})
    january = to_invoice(JANUARY, {JANUARY: stands[JANUARY]}, [])
    february = to_invoice(FEBRUARY, stands, january)
    assert to_invoice(JANUARY, {JANUARY: stands[JANUARY]}, january) == []
    assert to_invoice(FEBRUARY, stands, january + february) == []


def test_late_calls_of_several_months_are_adjusted_again_and_again() -> None:
    invoiced = to_invoice(JANUARY, stand(JANUARY, minutes={JANUARY: 510}), [])
    second = to_invoice(FEBRUARY, stand(JANUARY, FEBRUARY, minutes={JANUARY: 520, FEBRUARY: 500}), invoiced)
    assert told(second) == [("recurring", 2, None, 1, "18.00"), ("adjustment", 1, 520, 20, "0.42")]
    assert (second[1].invoiced, second[1].unit_price) == (Decimal("0.42"), Decimal("0.0420"))
    invoiced += second
    minutes = {JANUARY: 530, FEBRUARY: 501, MARCH: 502}
    third = to_invoice(MARCH, stand(JANUARY, FEBRUARY, MARCH, minutes=minutes), invoiced)
    assert told(third) == [
        ("recurring", 3, None, 1, "18.00"),
        ("usage", 3, 502, 2, "0.08"),
        ("adjustment", 1, 530, 30, "0.42"),
        ("adjustment", 2, 501, 1, "0.04"),
    ]
    assert (third[2].invoiced, third[3].invoiced) == (Decimal("0.84"), Decimal("0.00"))


def test_late_calls_within_the_package_change_nothing() -> None:
    invoiced = to_invoice(JANUARY, stand(JANUARY, minutes={JANUARY: 10}), [])
    second = to_invoice(FEBRUARY, stand(JANUARY, FEBRUARY, minutes={JANUARY: 500}), invoiced)
    assert told(second) == [("recurring", 2, None, 1, "18.00")]


def test_a_month_that_was_billed_without_an_invoice_is_adjusted_as_well() -> None:
    assert to_invoice(JANUARY, stand(JANUARY, minutes={}, package=PAY_PER_USE), []) == []
    second = to_invoice(FEBRUARY, stand(JANUARY, FEBRUARY, minutes={JANUARY: 1}, package=PAY_PER_USE), [])
    assert told(second) == [("adjustment", 1, 1, 1, "0.05")]


@pytest.mark.parametrize(("minutes", "charged", "amount"), [(505, 5, "-0.21"), (500, 0, "-0.42"), (0, 0, "-0.42")])
def test_usage_that_shrinks_is_given_back_with_the_line_that_would_stand(
    minutes: int, charged: int, amount: str
) -> None:
    invoiced = to_invoice(JANUARY, stand(JANUARY, minutes={JANUARY: 510}), [])
    second = to_invoice(FEBRUARY, stand(JANUARY, FEBRUARY, minutes={JANUARY: minutes}), invoiced)
    assert told(second)[1:] == [("adjustment", 1, minutes, charged, amount)]
    assert second[1].included == 500


def test_another_rate_is_adjusted_by_the_difference() -> None:
    invoiced = to_invoice(JANUARY, stand(JANUARY, minutes={JANUARY: 600}), [])
    cheaper = priced_anew(SMALL, JANUARY, "18.00", "0.0400")
    second = to_invoice(FEBRUARY, stand(JANUARY, FEBRUARY, minutes={JANUARY: 600}, package=cheaper), invoiced)
    assert told(second)[1:] == [("adjustment", 1, 600, 100, "-0.20")]
    assert (second[1].unit_price, second[1].invoiced) == (Decimal("0.0400"), Decimal("4.20"))


def test_a_run_that_no_longer_stands_is_taken_back_and_those_instead_are_charged() -> None:
    minutes = {date(2026, 1, 5): 10, date(2026, 1, 20): 10}
    invoiced = to_invoice(JANUARY, stand(JANUARY, minutes=minutes, package=PAY_PER_USE), [])
    assert told(invoiced) == [("usage", 1, 20, 20, "0.90")]
    split = priced_anew(PAY_PER_USE, date(2026, 1, 11), "0.00", "0.0400")
    stands = stand(JANUARY, FEBRUARY, minutes=minutes, package=split)
    second = to_invoice(FEBRUARY, stands, invoiced)
    assert [(line.first.day, line.last.day, *told([line])[0][2:]) for line in second] == [
        (1, 10, 10, 10, "0.45"),
        (11, 31, 10, 10, "0.40"),
        (1, 31, 0, 0, "-0.90"),
    ]
    assert all(line.kind == "adjustment" for line in second)
    assert to_invoice(FEBRUARY, stands, invoiced + second) == []


def test_what_is_taken_back_is_a_line_of_no_minutes_of_no_package() -> None:
    """Its package included minutes; the line that takes it back has none."""
    first, second = Held(SMALL, 1, LIVE, date(2026, 1, 16)), Held(SMALL, 1, LIVE)
    minutes = {date(2026, 1, 5): 600}
    invoiced = to_invoice(JANUARY, {JANUARY: current_lines(JANUARY, [first], minutes, None)}, [])
    assert [(line.minutes, line.included, line.package_minutes) for line in invoiced] == [(600, 242, 500)]
    stands = {JANUARY: current_lines(JANUARY, [second], minutes, None), FEBRUARY: []}
    _, gone = to_invoice(FEBRUARY, stands, invoiced)
    assert gone == Line(
        kind="adjustment",
        sku="tf-500",
        month=JANUARY,
        first=JANUARY,
        last=date(2026, 1, 15),
        quantity=0,
        unit_price=Decimal("0.0420"),
        amount=Decimal("-15.04"),
        per_seat=False,
        minutes=0,
        included=0,
        package_minutes=0,
        invoiced=Decimal("15.04"),
    )


def test_recurring_lines_of_a_billed_month_are_never_touched() -> None:
    """A price change never changes what is already invoiced (R24)."""
    invoiced = to_invoice(JANUARY, stand(JANUARY, minutes={}), [])
    dearer = priced_anew(SMALL, date(2026, 1, 11), "99.00", "0.0420")
    assert told(to_invoice(FEBRUARY, stand(JANUARY, FEBRUARY, minutes={}, package=dearer), invoiced)) == [
        ("recurring", 2, None, 1, "99.00")
    ]
    assert to_invoice(JANUARY, stand(JANUARY, minutes={}, package=dearer), invoiced) == []


def test_lines_of_months_that_are_not_looked_at_do_not_matter() -> None:
    march = to_invoice(MARCH, stand(MARCH, minutes={MARCH: 900}), [])
    assert told(to_invoice(JANUARY, stand(JANUARY, minutes={}), march)) == [("recurring", 1, None, 1, "18.00")]


def test_a_recurring_line_is_not_taken_for_usage_of_the_same_package_and_days() -> None:
    own = to_invoice(JANUARY, stand(JANUARY, minutes={JANUARY: 501}), [])
    only_recurring = [line for line in own if line.kind == "recurring"]
    left = to_invoice(JANUARY, stand(JANUARY, minutes={JANUARY: 501}), only_recurring)
    assert told(left) == [("usage", 1, 501, 1, "0.04")]


def test_what_was_billed_as_an_adjustment_before_its_own_month_is_not_billed_again() -> None:
    early = [line._replace(kind="adjustment") for line in stand(JANUARY, minutes={JANUARY: 600})[JANUARY][1:]]
    left = to_invoice(JANUARY, stand(JANUARY, minutes={JANUARY: 600}), early)
    assert told(left) == [("recurring", 1, None, 1, "18.00")]


def test_recurring_lines_of_a_month_not_billed_yet_wait_for_its_own_run() -> None:
    stands = stand(JANUARY, FEBRUARY, minutes={JANUARY: 600})
    february = to_invoice(FEBRUARY, stands, [])
    assert told(february) == [("recurring", 2, None, 1, "18.00"), ("adjustment", 1, 600, 100, "4.20")]
    left = to_invoice(JANUARY, {JANUARY: stands[JANUARY]}, february)
    assert told(left) == [("recurring", 1, None, 1, "18.00")]


def test_a_later_month_is_refused() -> None:
    with pytest.raises(ValueError, match="later than the month"):
        to_invoice(JANUARY, stand(JANUARY, FEBRUARY, minutes={}), [])
