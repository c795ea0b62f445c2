"""Random histories of accounts for Hypothesis: purchases, prices, calls, activation, in zones with and without DST.

Many purchases are made near the activation, and many changes of seats near changes of items charged per seat.
"""

from datetime import UTC, date, datetime, time, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from tests.billing.pricing.daybyday import Call, Item, Life, Price, Purchase, first_moment

ZONES = [
    "UTC",
    "America/New_York",
    "America/Los_Angeles",
    "Pacific/Auckland",
    "Australia/Lord_Howe",  # half an hour of DST
    "Asia/Kathmandu",
    "Pacific/Kiritimati",
    "Africa/Cairo",  # a day in April begins at 1 a.m.
    "America/Havana",  # a day in November has two midnights
]
CATALOGUE = {
    "pro": Item("product", per_seat=True),
    "chat": Item("channel", per_seat=True),
    "sms": Item("channel"),
    "wfm": Item("addon", per_seat=True),
    "crm": Item("addon"),
    "disk-5": Item("storage", size=5),
    "disk-25": Item("storage", size=25),
    "disk-100": Item("storage", size=100),
    "tf-0": Item("package", size=0),
    "tf-500": Item("package", size=500),
    "tf-1000": Item("package", size=1000),
}
SWITCHES = ["chat", "sms", "wfm", "crm"]
FIRST_MONTHS = [date(2026, 1, 1), date(2026, 3, 1), date(2026, 9, 1), date(2027, 12, 1), date(2028, 2, 1)]
DAYS = 92
MIDNIGHT, LAST_MICROSECOND = -1, -2

# Days near the ends of months, a few days that many events share, and any other day.
days = st.one_of(st.sampled_from([0, 0, 9, 10, 11, 27, 28, 29, 30, 31, 32, 58, 59, 60, 61]), st.integers(0, DAYS - 1))
times = st.one_of(st.sampled_from([MIDNIGHT, LAST_MICROSECOND, 600, 601]), st.integers(0, 1439))
fields = st.sampled_from(["seats", "seats", "storage", "package", "package", *SWITCHES])
purchases = st.lists(st.tuples(days, times, fields, st.integers(0, 5)), max_size=14)
# How long before or after the activation, or another purchase, a purchase is made: mostly on the same day.
offsets = st.one_of(
    st.sampled_from([timedelta(0), timedelta(microseconds=1), timedelta(microseconds=-1)]),
    st.integers(-720, 720).map(lambda minutes: timedelta(minutes=minutes)),
)
around_activation = st.lists(st.tuples(offsets, fields, st.integers(0, 5)), max_size=8)
seats_and_per_seat = st.sampled_from(["seats", "seats", "chat", "wfm"])
beside_others = st.lists(st.tuples(st.integers(0, 13), offsets, seats_and_per_seat, st.integers(0, 5)), max_size=6)
cents = st.one_of(st.sampled_from([0, 1, 50, 7000, 7777]), st.integers(0, 30_000))
rates = st.one_of(st.sampled_from([0, 50, 450, 420]), st.integers(0, 1000))
price_changes = st.lists(st.tuples(st.sampled_from(list(CATALOGUE)), days, cents, rates, st.integers(0, 2)), max_size=6)
first_prices = st.lists(st.tuples(cents, rates), min_size=len(CATALOGUE), max_size=len(CATALOGUE))
late = st.one_of(st.just(0), st.just(0), st.integers(0, 75))
calls = st.lists(
    st.tuples(days, times, st.one_of(st.sampled_from([0, 1, 59, 60, 61]), st.integers(0, 60_000)), late, st.booleans()),
    max_size=10,
)
run_delays = st.lists(st.integers(0, 20 * 24), min_size=4, max_size=4)


def moment(start: date, day: int, at: int, zone: ZoneInfo) -> datetime:
    """Return the instant in UTC of a minute of a local day, or of the day's first moment or last microsecond."""
    local = start + timedelta(days=day)
    if at == MIDNIGHT:
        return first_moment(local, zone)
    if at == LAST_MICROSECOND:
        return first_moment(local + timedelta(days=1), zone) - timedelta(microseconds=1)
    return datetime.combine(local, time(at // 60, at % 60), zone).astimezone(UTC)


@st.composite
def lives(draw: st.DrawFn) -> Life:
    """Draw a history that begins in one of FIRST_MONTHS and follows the rules of onboarding."""
    zone = ZoneInfo(draw(st.sampled_from(ZONES)))
    start = draw(st.sampled_from(FIRST_MONTHS))
    installed = moment(start, draw(st.integers(0, 12)), draw(times), zone)
    activation = draw(st.one_of(st.none(), st.tuples(days, times), st.tuples(st.integers(0, 31), times)))
    activated = max(installed, moment(start, *activation, zone)) if activation else None
    # At most one purchase at each instant, because the first of two would never have been held.
    wishes = {moment(start, day, at, zone): (field, value) for day, at, field, value in draw(purchases)}
    others = sorted(wishes)
    for index, offset, field, value in draw(beside_others) if others else []:
        wishes.setdefault(others[index % len(others)] + offset, (field, value))
    for offset, field, value in draw(around_activation) if activated else []:
        wishes.setdefault(activated + offset, (field, value))
    made = [
        Purchase(installed, "storage", "disk-5"),
        Purchase(installed, "package", "tf-0"),
        Purchase(installed, "sms", True),
    ]
    for at, (field, value) in sorted(wishes.items()):
        if at > installed:
            made += [purchase for purchase in [_purchase(at, field, value, activated)] if purchase]
    return Life(
        zone=zone,
        product="pro",
        catalogue=CATALOGUE,
        prices=_prices(start, draw(first_prices), draw(price_changes)),
        installed=installed,
        activated=activated,
        purchases=made,
        calls=_calls(draw(calls), start, zone, installed),
    )


def _purchase(at: datetime, field: str, value: int, activated: datetime | None) -> Purchase | None:
    """Return a purchase, or None if onboarding refuses it (R3, R4)."""
    active = activated is not None and at >= activated
    if field == "seats":
        seats = value if active else min(value, 2)
        return Purchase(at, field, seats * 7 if value == 5 and active else seats)
    if field == "storage":
        return Purchase(at, field, ["disk-5", "disk-25", "disk-100"][value % 3])
    if field == "package":
        return Purchase(at, field, ["tf-0", "tf-500", "tf-1000"][value % 3]) if active else None
    return Purchase(at, field, value % 2 == 1)


def _prices(start: date, first: list[tuple[int, int]], changes: list[tuple[str, int, int, int, int]]) -> list[Price]:
    """Return first prices and changes, one a day for each item, of the price per month, per minute, or both."""
    prices: dict[tuple[str, date], Price] = {}
    for (sku, item), (monthly, rate) in zip(CATALOGUE.items(), first, strict=True):
        per_minute = Fraction(rate, 10_000) if item.kind == "package" else None
        prices[sku, date(2020, 1, 1)] = Price(sku, date(2020, 1, 1), Fraction(monthly, 100), per_minute)
    for sku, day, monthly, rate, alters in sorted(changes, key=lambda change: change[1]):
        since = start + timedelta(days=day)
        latest = [price for (of, _), price in prices.items() if of == sku][-1]
        prices[sku, since] = Price(
            sku,
            since,
            latest.monthly if alters == 1 else Fraction(monthly, 100),
            latest.per_minute if alters == 2 or latest.per_minute is None else Fraction(rate, 10_000),
        )
    return list(prices.values())


def _calls(
    drawn: list[tuple[int, int, int, int, bool]], start: date, zone: ZoneInfo, installed: datetime
) -> list[Call]:
    """Return calls since the install in the order received; some are received late, some twice."""
    received = []
    for number, (day, at, seconds, days_late, twice) in enumerate(drawn):
        started = moment(start, day, at, zone)
        if started >= installed:
            call = Call(f"c{number}", started, seconds, started + timedelta(days=days_late))
            received.append(call)
            if twice:
                received.append(call._replace(received=call.received + timedelta(days=days_late + 1)))
    return sorted(received, key=lambda call: call.received)
