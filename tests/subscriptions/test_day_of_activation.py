"""What was given up on the day of the activation, before it, is not charged (billing policy 5)."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from accounts.models import Account, User
from onboarding.actions import activate
from subscriptions.actions import change_subscription
from subscriptions.catalogue import contact_center_of, held_by
from subscriptions.models import Holding

ACTIVATED = datetime(2026, 3, 16, 12, tzinfo=UTC)
THAT_DAY = date(2026, 3, 16)
A_MICROSECOND = timedelta(microseconds=1)


def buy(account: Account, by: User, now: datetime, **wanted: object) -> None:
    change_subscription(account, replace(held_by(contact_center_of(account)), **wanted), by=by, now=now)


def counts(account: Account, day: date = THAT_DAY) -> dict[str, int]:
    """Return what counts as held on a day, without the Voice channel and the default package."""
    rows = Holding.objects.on(day).filter(account=account).select_related("item")
    return {row.item.sku: row.quantity for row in rows if row.item.sku not in ("channel-voice", "tf-payperuse")}


def hold_much(account: Account, by: User) -> None:
    buy(account, by, ACTIVATED - timedelta(hours=2), seats=2, addons=frozenset({"addon-crm"}), storage="storage-100")


def hold_little(account: Account, by: User, now: datetime) -> None:
    buy(account, by, now, seats=1, addons=frozenset(), storage="storage-5")


MUCH = {"cc-pro": 2, "addon-crm": 1, "storage-100": 1}
LITTLE = {"cc-pro": 1, "storage-5": 1}


@pytest.mark.parametrize("before", [timedelta(hours=1), A_MICROSECOND])
def test_a_reduction_before_the_activation_counts_at_once(
    installed: Account, owner: User, member: User, before: timedelta
) -> None:
    hold_much(installed, owner)
    hold_little(installed, owner, ACTIVATED - before)
    assert counts(installed) == LITTLE, "in onboarding no day is charged"
    activate(installed, by=member, reason="Ready", now=ACTIVATED)
    assert counts(installed) == LITTLE


@pytest.mark.parametrize(
    ("after", "counted", "from_day"),
    [(timedelta(0), LITTLE, THAT_DAY), (A_MICROSECOND, MUCH, date(2026, 3, 17)), (timedelta(hours=1), MUCH, None)],
)
def test_a_reduction_after_it_counts_from_the_next_day_but_at_its_very_instant_at_once(
    installed: Account, owner: User, member: User, after: timedelta, counted: dict[str, int], from_day: date | None
) -> None:
    hold_much(installed, owner)
    activate(installed, by=member, reason="Ready", now=ACTIVATED)
    hold_little(installed, owner, ACTIVATED + after)
    assert counts(installed) == counted
    assert counts(installed, from_day or date(2026, 3, 17)) == LITTLE


def test_the_day_is_charged_by_the_most_that_is_held_from_the_activation_on(
    installed: Account, owner: User, member: User
) -> None:
    hold_much(installed, owner)
    hold_little(installed, owner, ACTIVATED - timedelta(hours=1))
    activate(installed, by=member, reason="Ready", now=ACTIVATED)
    buy(installed, owner, ACTIVATED + timedelta(hours=1), seats=5)
    buy(installed, owner, ACTIVATED + timedelta(hours=2), seats=3)
    assert counts(installed) == {**LITTLE, "cc-pro": 5}
    assert counts(installed, date(2026, 3, 17)) == {**LITTLE, "cc-pro": 3}


def test_what_was_given_up_on_an_earlier_day_of_onboarding_stays_in_the_ledger(installed: Account, owner: User) -> None:
    buy(installed, owner, datetime(2026, 3, 10, 14, tzinfo=UTC), seats=2)
    buy(installed, owner, datetime(2026, 3, 12, 14, tzinfo=UTC), seats=0)
    assert counts(installed, date(2026, 3, 11)) == {"cc-pro": 2, "storage-5": 1}
    assert counts(installed, date(2026, 3, 12)) == {"storage-5": 1}
