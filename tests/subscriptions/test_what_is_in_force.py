"""A purchase is compared with what is in force, not with what was chosen last."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from accounts.models import Account, User
from subscriptions.actions import change_subscription, propose_subscription
from subscriptions.catalogue import contact_center_of, held_by
from subscriptions.differences import Difference
from subscriptions.models import Holding

MORNING, NOON = datetime(2026, 3, 20, 14, tzinfo=UTC), datetime(2026, 3, 20, 16, tzinfo=UTC)
TODAY, TOMORROW, APRIL = date(2026, 3, 20), date(2026, 3, 21), date(2026, 4, 1)
VOICE = frozenset({"channel-voice"})
WITH_CHAT = VOICE | {"channel-chat"}


@pytest.fixture
def holding(active: Account, owner: User) -> Account:
    """An account that has held several items for days."""
    earlier = datetime(2026, 3, 18, 14, tzinfo=UTC)
    buy(active, owner, earlier, seats=10, channels=WITH_CHAT, storage="storage-100", package="tf-2500")
    return active


def buy(account: Account, by: User, now: datetime, **wanted: object) -> None:
    change_subscription(account, replace(held_by(contact_center_of(account)), **wanted), by=by, now=now)


def proposed(account: Account, by: User, now: datetime = NOON, **wanted: object) -> list[Difference]:
    held = held_by(contact_center_of(account))
    return list(propose_subscription(account, replace(held, **wanted), by=by, now=now).differences)


def told(account: Account, by: User, now: datetime = NOON, **wanted: object) -> tuple[str, str, date, str]:
    """Return the only line of a purchase, and assert that the ledger then has the change from the day in it."""
    (line,) = proposed(account, by, now, **wanted)
    buy(account, by, now, **wanted)
    rows = Holding.objects.valid().filter(account=account, item=line.item)
    if line.after != "off" and line.item.kind != "product":
        assert rows.on(line.from_day).filter(period__endswith=None).exists()
        assert (
            line.from_day == TODAY
            or not rows.filter(period__startswith__lt=line.from_day, period__endswith=None).exists()
        )
    return line.before, line.after, line.from_day, line.note


SMALLER = "Smaller packages take effect on the 1st of next month."
PLANNED = "2,500 minutes until March 31, 2026; 500 minutes from April 1, 2026"


@pytest.mark.parametrize(
    ("package", "after", "day", "note"),
    [
        ("tf-1000", "1,000 minutes", APRIL, f"{SMALLER} This replaces the change planned for April 1, 2026."),
        ("tf-5000", "5,000 minutes", TODAY, "This replaces the change planned for April 1, 2026."),
        ("tf-2500", "2,500 minutes", TODAY, "This cancels the change planned for April 1, 2026."),
        ("tf-payperuse", "Pay-per-use", APRIL, f"{SMALLER} This replaces the change planned for April 1, 2026."),
    ],
)
def test_a_package_is_compared_with_the_one_that_counts_until_the_first(
    holding: Account, owner: User, package: str, after: str, day: date, note: str
) -> None:
    buy(holding, owner, MORNING, package="tf-500")
    assert told(holding, owner, package=package) == (PLANNED, after, day, note)


@pytest.mark.parametrize(
    ("seats", "day", "note"),
    [
        (4, TOMORROW, "This replaces the change planned for March 21, 2026."),
        (12, TODAY, "This replaces the change planned for March 21, 2026."),
        (10, TODAY, "This cancels the change planned for March 21, 2026."),
    ],
)
def test_seats_that_were_reduced_today_are_compared_with_the_most_of_today(
    holding: Account, owner: User, seats: int, day: date, note: str
) -> None:
    buy(holding, owner, MORNING, seats=3)
    line = told(holding, owner, seats=seats)
    assert line == ("10 until March 20, 2026; 3 from March 21, 2026", str(seats), day, note)
    assert Holding.objects.on(TOMORROW).get(account=holding, item__sku="cc-pro").quantity == seats
    assert Holding.objects.on(TODAY).get(account=holding, item__sku="cc-pro").quantity == max(10, seats)


def test_seats_that_were_added_and_given_up_again_today_count_until_tomorrow(holding: Account, owner: User) -> None:
    buy(holding, owner, MORNING, seats=30)
    assert told(holding, owner, seats=10) == ("30", "10", TOMORROW, "")


def test_all_seats_given_up_today(holding: Account, owner: User) -> None:
    buy(holding, owner, MORNING, seats=0)
    line = told(holding, owner, seats=2)
    assert line == (
        "10 until March 20, 2026; 0 from March 21, 2026",
        "2",
        TOMORROW,
        "This replaces the change planned for March 21, 2026.",
    )


def test_storage_and_a_channel_changed_twice_in_a_day(holding: Account, owner: User) -> None:
    buy(holding, owner, MORNING, storage="storage-5", channels=VOICE)
    waiting = "This cancels the change planned for March 21, 2026."
    channel, storage = proposed(holding, owner, channels=WITH_CHAT, storage="storage-100")
    assert (channel.before, channel.after, channel.from_day, channel.note) == (
        "on until March 20, 2026; off from March 21, 2026", "on", TODAY, waiting,
    )  # fmt: skip
    assert (storage.before, storage.after, storage.from_day, storage.note) == (
        "100 GB until March 20, 2026; 5 GB from March 21, 2026", "100 GB", TODAY, waiting,
    )  # fmt: skip
    assert told(holding, owner, storage="storage-25")[2] == TOMORROW
    assert told(holding, owner, channels=WITH_CHAT)[2] == TODAY


def test_a_first_choice_is_compared_with_what_is_held(holding: Account, owner: User) -> None:
    assert told(holding, owner, package="tf-500") == (
        "2,500 minutes", "500 minutes", APRIL, "Smaller packages take effect on the 1st of next month.",
    )  # fmt: skip
    assert told(holding, owner, channels=VOICE) == ("on", "off", TOMORROW, "")


def test_in_onboarding_a_reduction_takes_effect_today(installed: Account, owner: User) -> None:
    buy(installed, owner, MORNING, seats=2, storage="storage-100", channels=WITH_CHAT)
    lines = proposed(installed, owner, seats=1, storage="storage-5", channels=VOICE)
    assert [(line.before, line.after, line.from_day, line.note) for line in lines] == [
        ("2", "1", TODAY, ""), ("on", "off", TODAY, ""), ("100 GB", "5 GB", TODAY, ""),
    ]  # fmt: skip


def test_what_a_line_says_is_what_it_costs(holding: Account, owner: User) -> None:
    """Whatever was chosen before, the day of a line is the day from which the ledger changes."""
    buy(holding, owner, MORNING, seats=3, package="tf-500", storage="storage-25", channels=VOICE)
    wanted = {"seats": 5, "package": "tf-1000", "storage": "storage-500", "channels": WITH_CHAT}
    days = {line.label: line.from_day for line in proposed(holding, owner, **wanted)}
    assert days == {"Seats": TOMORROW, "Chat": TODAY, "Recording storage": TODAY, "Toll-free package": APRIL}
