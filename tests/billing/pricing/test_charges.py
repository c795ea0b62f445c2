"""Edge cases of `current_lines` and `owed`. Worked cases and random histories are tested elsewhere."""

from datetime import date
from decimal import Decimal

import pytest

from billing.pricing.charges import Held, Line, NotPriced, current_lines, month_after, owed
from tests.billing.conftest import priced_anew, tariff

MARCH = date(2026, 3, 1)
LONG_AGO = date(2025, 1, 1)
PRO = tariff("cc-pro", "product", "70.00", per_seat=True)
CHAT = tariff("channel-chat", "channel", "10.00", per_seat=True)
SMS = tariff("channel-sms", "channel", "30.00")
SMALL = tariff("tf-500", "package", "18.00", minutes=500, rate="0.0420")
PAY_PER_USE = tariff("tf-payperuse", "package", "0.00", rate="0.0450")


def recurring(*held: Held, live: date | None = LONG_AGO, month: date = MARCH) -> list[tuple[str, int, int, int, str]]:
    """Return (SKU, first day, last day, quantity, amount) of each recurring line."""
    return [
        (line.sku, line.first.day, line.last.day, line.quantity, str(line.amount))
        for line in owed(month, held, {}, live)
    ]


def usage(*held: Held, minutes: dict[int, int], live: date | None = LONG_AGO) -> list[tuple[str, int, int, int, int]]:
    """Return (SKU, first day, last day, minutes, included) of each usage line."""
    called = {date(2026, 3, day): count for day, count in minutes.items()}
    return [
        (line.sku, line.first.day, line.last.day, line.minutes, line.included)
        for line in current_lines(MARCH, held, called, live)
        if line.kind == "usage"
    ]


def test_a_line_carries_what_its_amount_is_computed_from() -> None:
    (line,) = owed(MARCH, [Held(PRO, 25, date(2026, 3, 16))], {}, date(2026, 3, 16))
    assert line == Line(
        kind="recurring",
        sku="cc-pro",
        month=MARCH,
        first=date(2026, 3, 16),
        last=date(2026, 3, 31),
        quantity=25,
        unit_price=Decimal("70.00"),
        amount=Decimal("903.23"),
        per_seat=True,
    )
    assert (line.days, line.days_in_month) == (16, 31)


def test_a_usage_line_carries_what_its_amount_is_computed_from() -> None:
    (line,) = owed(MARCH, [Held(SMALL, 1, date(2026, 3, 16))], {date(2026, 3, 20): 300}, None)
    assert line == Line(
        kind="usage",
        sku="tf-500",
        month=MARCH,
        first=date(2026, 3, 16),
        last=date(2026, 3, 31),
        quantity=41,
        unit_price=Decimal("0.0420"),
        amount=Decimal("1.72"),
        per_seat=False,
        minutes=300,
        included=259,
        package_minutes=500,
        invoiced=None,
    )


def test_nothing_held_owes_nothing() -> None:
    assert current_lines(MARCH, [], {}, LONG_AGO) == []


def test_a_month_is_named_by_its_first_day() -> None:
    with pytest.raises(ValueError, match="first day"):
        owed(date(2026, 3, 2), [], {}, None)


@pytest.mark.parametrize(
    ("month", "after"), [(date(2026, 12, 1), date(2027, 1, 1)), (date(2028, 2, 1), date(2028, 3, 1))]
)
def test_the_month_after(month: date, after: date) -> None:
    assert month_after(month) == after


def test_rows_outside_the_month_do_not_count() -> None:
    before, after = Held(SMS, 1, LONG_AGO, MARCH), Held(SMS, 1, date(2026, 4, 1))
    assert recurring(before, after) == []


def test_rows_come_in_any_order_and_lines_in_that_of_the_bill() -> None:
    held = [Held(SMALL, 1, LONG_AGO), Held(SMS, 1, LONG_AGO), Held(CHAT, 1, LONG_AGO), Held(PRO, 2, LONG_AGO)]
    assert [row[0] for row in recurring(*held)] == ["cc-pro", "channel-chat", "channel-sms", "tf-500"]
    assert recurring(*held) == recurring(*reversed(held))


def test_rows_that_follow_one_another_and_hold_the_same_make_one_line() -> None:
    held = [Held(SMS, 1, LONG_AGO, date(2026, 3, 10)), Held(SMS, 1, date(2026, 3, 10))]
    assert recurring(*held) == [("channel-sms", 1, 31, 1, "30.00")]


def test_a_gap_makes_two_lines() -> None:
    held = [Held(SMS, 1, LONG_AGO, date(2026, 3, 11)), Held(SMS, 1, date(2026, 3, 12))]
    assert recurring(*held) == [("channel-sms", 1, 10, 1, "9.68"), ("channel-sms", 12, 31, 1, "19.35")]


def test_what_is_per_seat_follows_the_seats_and_nothing_else_does() -> None:
    held = [
        Held(PRO, 2, LONG_AGO, date(2026, 3, 11)),
        Held(PRO, 3, date(2026, 3, 15)),
        Held(CHAT, 1, date(2026, 3, 5), date(2026, 3, 21)),
        Held(SMS, 1, LONG_AGO),
    ]
    assert recurring(*held) == [
        ("cc-pro", 1, 10, 2, "45.16"),
        ("cc-pro", 15, 31, 3, "115.16"),
        ("channel-chat", 5, 10, 2, "3.87"),
        ("channel-chat", 15, 20, 3, "5.81"),
        ("channel-sms", 1, 31, 1, "30.00"),
    ]


def test_without_seats_nothing_per_seat_is_charged() -> None:
    assert recurring(Held(CHAT, 1, LONG_AGO), Held(SMS, 1, LONG_AGO)) == [("channel-sms", 1, 31, 1, "30.00")]


@pytest.mark.parametrize(
    ("live", "lines"),
    [
        (None, []),
        (date(2026, 4, 1), []),
        (date(2026, 3, 31), [("channel-sms", 31, 31, 1, "0.97")]),
        (date(2026, 3, 1), [("channel-sms", 1, 31, 1, "30.00")]),
        (date(2026, 2, 28), [("channel-sms", 1, 31, 1, "30.00")]),
    ],
)
def test_days_before_activation_are_never_charged(
    live: date | None, lines: list[tuple[str, int, int, int, str]]
) -> None:
    assert recurring(Held(SMS, 1, LONG_AGO), live=live) == lines


def test_what_ended_before_activation_is_never_charged() -> None:
    assert recurring(Held(SMS, 1, LONG_AGO, date(2026, 3, 16)), live=date(2026, 3, 16)) == []


def test_a_price_change_splits_where_the_price_is_another() -> None:
    dearer = priced_anew(priced_anew(SMS, date(2026, 3, 11), "31.00"), date(2026, 3, 21), "31.00")
    assert recurring(Held(dearer, 1, LONG_AGO)) == [
        ("channel-sms", 1, 10, 1, "9.68"),
        ("channel-sms", 11, 31, 1, "21.00"),
    ]


def test_a_price_change_on_the_first_or_after_the_last_day_splits_nothing() -> None:
    changed = priced_anew(priced_anew(SMS, MARCH, "31.00"), date(2026, 4, 1), "32.00")
    assert recurring(Held(changed, 1, LONG_AGO)) == [("channel-sms", 1, 31, 1, "31.00")]


def test_rates_and_packages_that_meet_the_months_ends_make_no_lines_of_no_days() -> None:
    changed = priced_anew(priced_anew(SMALL, MARCH, "18.00", "0.0500"), date(2026, 4, 1), "18.00", "0.0600")
    held = [Held(PAY_PER_USE, 1, LONG_AGO, MARCH), Held(changed, 1, MARCH, date(2026, 4, 1))]
    assert usage(*held, minutes={}) == [("tf-500", 1, 31, 0, 500)]


def test_an_item_may_be_held_from_the_day_of_its_first_price() -> None:
    first = date(2020, 1, 1)
    lines = owed(first, [Held(SMS, 1, first)], {}, first)
    assert [(line.first, str(line.amount)) for line in lines] == [(first, "30.00")]


def test_an_item_is_priced_only_where_it_is_charged() -> None:
    new = tariff("channel-new", "channel", "5.00")
    with pytest.raises(NotPriced, match="channel-new"):
        owed(date(2019, 12, 1), [Held(new, 1, date(2019, 1, 1))], {}, date(2019, 1, 1))
    assert owed(date(2019, 12, 1), [Held(new, 1, date(2019, 1, 1))], {}, None) == []


@pytest.mark.parametrize(("price", "amount"), [("0.31", "0.01"), ("0.15", None), ("0.16", "0.01")])
def test_less_than_half_a_cent_makes_no_line(price: str, amount: str | None) -> None:
    lines = owed(MARCH, [Held(tariff("x", "addon", price), 1, LONG_AGO)], {}, date(2026, 3, 31))
    assert [str(line.amount) for line in lines] == ([amount] if amount else [])


@pytest.mark.parametrize(("price", "amount"), [("0.15", "0.01"), ("0.75", "0.03"), ("0.14", None)])
def test_half_a_cent_is_rounded_up_never_to_even(price: str, amount: str | None) -> None:
    """A day of April costs a thirtieth: here 0.5 and 2.5 cents."""
    held = [Held(tariff("x", "addon", price), 1, LONG_AGO)]
    lines = owed(date(2026, 4, 1), held, {}, date(2026, 4, 30))
    assert [str(line.amount) for line in lines] == ([amount] if amount else [])


def test_usage_is_split_by_package_and_rate_not_by_price_seats_or_activation() -> None:
    changed = priced_anew(SMALL, date(2026, 3, 6), "20.00", "0.0420")
    changed = priced_anew(changed, date(2026, 3, 26), "20.00", "0.0500")
    held = [
        Held(PRO, 2, LONG_AGO, date(2026, 3, 8)),
        Held(PRO, 9, date(2026, 3, 8)),
        Held(changed, 1, date(2026, 3, 4)),
        Held(PAY_PER_USE, 1, LONG_AGO, date(2026, 3, 4)),
    ]
    minutes = {3: 7, 4: 1, 25: 2, 26: 4}
    assert usage(*held, minutes=minutes, live=date(2026, 3, 15)) == [
        ("tf-payperuse", 1, 3, 7, 0),
        ("tf-500", 4, 25, 3, 355),  # 500 × 22 ÷ 31 = 354.8…
        ("tf-500", 26, 31, 4, 97),  # 500 × 6 ÷ 31 = 96.8
    ]


def test_the_line_that_would_stand_is_told_although_nothing_is_owed() -> None:
    held = [Held(SMALL, 1, LONG_AGO)]
    assert usage(*held, minutes={}) == [("tf-500", 1, 31, 0, 500)]
    assert usage(*held, minutes={1: 500}) == [("tf-500", 1, 31, 500, 500)]
    assert [line.kind for line in owed(MARCH, held, {MARCH: 500}, LONG_AGO)] == ["recurring"]
    assert [line.kind for line in owed(MARCH, held, {MARCH: 501}, LONG_AGO)] == ["recurring", "usage"]


def test_minutes_of_other_months_do_not_count() -> None:
    held = [Held(PAY_PER_USE, 1, LONG_AGO)]
    assert owed(MARCH, held, {date(2026, 2, 28): 10, date(2026, 4, 1): 10}, None) == []


def test_minutes_on_a_day_without_a_package_are_not_lost_in_silence() -> None:
    with pytest.raises(NotPriced, match="5 minutes of March 2026"):
        owed(MARCH, [Held(PAY_PER_USE, 1, date(2026, 3, 10))], {date(2026, 3, 9): 5}, None)


def test_a_package_needs_a_price_per_minute() -> None:
    with pytest.raises(NotPriced, match="per minute"):
        owed(MARCH, [Held(tariff("tf-0", "package", "0.00"), 1, LONG_AGO)], {}, None)


def test_large_bills_are_exact() -> None:
    dear = tariff("cc-max", "product", "99999999.99", per_seat=True)
    (line,) = owed(MARCH, [Held(dear, 100_000, LONG_AGO)], {}, date(2026, 3, 2))
    assert line.amount == Decimal("9677419353870.97")  # 9999999999000.00 × 30 ÷ 31 = 9677419353870.967…
