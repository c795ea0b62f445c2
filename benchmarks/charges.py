"""For how many accounts a second one core computes what is owed: `python -m benchmarks.charges [ACCOUNTS]`.

Each account holds six items, has calls on ten days, and changed its seats once within the month; a tenth is in
onboarding. Prints one line of JSON with medians of five alternating runs.
"""

import json
import random
import sys
from datetime import date, timedelta
from decimal import Decimal
from statistics import median
from time import perf_counter

from billing.pricing.charges import Held, Rate, Tariff, current_lines, owed
from billing.pricing.settlement import to_invoice
from subscriptions.kinds import ORDER_ON_BILL

MONTH = date(2026, 3, 1)
SINCE = date(2026, 1, 1)


def _tariff(
    sku: str, kind: str, price: str, *, per_seat: bool = False, minutes: int = 0, rate: str | None = None
) -> Tariff:
    rates = [Rate(SINCE, Decimal(price), Decimal(rate) if rate else None)]
    return Tariff(sku, kind, per_seat, tuple(rates), minutes, ORDER_ON_BILL[kind])


PRODUCT = _tariff("cc-pro", "product", "70.00", per_seat=True)
OTHERS = [
    _tariff("channel-chat", "channel", "10.00", per_seat=True),
    _tariff("channel-sms", "channel", "30.00"),
    _tariff("addon-crm", "addon", "40.00"),
    _tariff("storage-100", "storage", "30.00"),
]
PACKAGE = _tariff("tf-500", "package", "18.00", minutes=500, rate="0.0420")
PAY_PER_USE = _tariff("tf-payperuse", "package", "0.00", rate="0.0450")

Account = tuple[list[Held], dict[date, int], date | None]


def account(chance: random.Random) -> Account:
    """Return the ledger, the minutes by day, and the day of activation (or None) of one account."""
    live = chance.random() < 0.9
    turn = MONTH + timedelta(days=chance.randrange(1, 31))
    seats = [Held(PRODUCT, chance.randint(1, 50), SINCE, turn), Held(PRODUCT, chance.randint(1, 50), turn)]
    held = seats + [Held(item, 1, SINCE) for item in OTHERS] + [Held(PACKAGE if live else PAY_PER_USE, 1, SINCE)]
    called = chance.sample(range(31), 10)
    minutes = {MONTH + timedelta(days=day): chance.randint(1, 150) for day in called}
    return held, minutes, date(2026, 2, 1) if live else None


def measure(accounts: list[Account], settle: bool) -> tuple[float, int]:
    """Return accounts per second and the number of lines; if `settle`, also settle them against earlier invoices."""
    lines = 0
    start = perf_counter()
    for held, minutes, activated_on in accounts:
        if settle:
            current = {MONTH: current_lines(MONTH, held, minutes, activated_on)}
            lines += len(to_invoice(MONTH, current, ()))
        else:
            lines += len(owed(MONTH, held, minutes, activated_on))
    return len(accounts) / (perf_counter() - start), lines


def main(number: int) -> None:
    chance = random.Random(1)
    accounts = [account(chance) for _ in range(number)]
    speeds: dict[str, list[float]] = {"owed": [], "to_invoice": []}
    lines = 0
    for _ in range(5):  # alternately, so that a busy moment of the machine slows down both
        for name, found in speeds.items():
            speed, lines = measure(accounts, settle=name == "to_invoice")
            found.append(speed)
    results = {f"{name}_accounts_per_second": round(median(found)) for name, found in speeds.items()}
    results["lines_per_account"] = round(lines / number, 2)
    print(json.dumps({"benchmark": "charges", "accounts": number, **results}))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 20_000)
