"""The toll-free packages on the Subscription tab: prices per minute, and the account's minutes in whole months."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from accounts.models import Account, PhoneNumber, User
from billing.previews.packages import packages_for
from core.clock import database_now
from subscriptions.catalogue import catalogue_on
from tests.billing.bills import called

TODAY = date(2026, 7, 10)
PAGE = "/accounts/100001/contact-center/subscription/"


def advice(account: Account, today: date = TODAY) -> Any:
    return packages_for(account, catalogue_on(today), today)


def test_the_last_three_whole_months_count(active: Account, answered: PhoneNumber) -> None:
    called("march", minutes=9999)  # installed on the 5th, so not a whole month
    called("april", minutes=1200, at="2026-04-03T12:00:00-04:00")
    called("may", minutes=1240, at="2026-05-03T12:00:00-04:00")
    called("june", minutes=1279, at="2026-06-30T23:59:00-04:00")
    called("july", minutes=9999, at="2026-07-01T00:00:00-04:00")  # not complete yet
    told = advice(active)
    assert told.suggestion.months == [1200, 1240, 1279]
    assert (told.suggestion.average, told.best.name, told.best.cost) == (1240, "1,000 minutes", Decimal("43.83"))


def test_fewer_months_count_where_there_are_no_more(active: Account, answered: PhoneNumber) -> None:
    called("april", minutes=7, at="2026-04-30T23:59:00-04:00")
    assert advice(active, date(2026, 5, 1)).suggestion.months == [7]
    assert advice(active, date(2026, 6, 1)).suggestion.months == [7, 0]
    assert advice(active, date(2026, 4, 30)).suggestion is None


def test_an_account_is_advised_by_its_own_minutes_alone(
    active: Account, answered: PhoneNumber, make_account: Any, owner: User
) -> None:
    called("april", minutes=300, at="2026-04-03T12:00:00-04:00")
    moved = make_account("100002")
    moved.onboarding = active.onboarding
    assert advice(moved).suggestion.months == [0, 0, 0]


def test_a_package_without_advice_still_says_where_it_pays_off(installed: Account) -> None:
    told = advice(installed, date(2026, 3, 10))
    assert told.best is None
    assert [told.of[sku].pays_off_from for sku in ("tf-payperuse", "tf-500", "tf-1000")] == [None, 401, 881]
    assert [told.of[sku].cost for sku in ("tf-payperuse", "tf-500")] == [None, None]


def shown(client: Client) -> str:
    return " ".join(client.get(PAGE).content.decode().split())


def test_the_page_names_the_package_that_would_cost_least(
    active: Account, answered: PhoneNumber, owner: User, client: Client
) -> None:
    called("april", minutes=1240, at="2026-04-03T12:00:00-04:00")
    client.force_login(owner)
    text = shown(client)  # today by the database's clock, with no minutes in the last months
    assert "You used no toll-free minutes in the last 3 whole months" in text
    assert "3.6¢ a minute, 4.2¢ above. Pays off from 401 minutes a month." in text
    assert "Least for your minutes" in text


@pytest.fixture
def lately(active: Account, answered: PhoneNumber) -> None:
    """1,240 minutes in each of the last three months by the database's clock."""
    today = active.day_of(database_now()).replace(day=1)
    for place in range(3):
        today = (today - date.resolution).replace(day=1)
        called(f"lately-{place}", minutes=1240, at=f"{today:%Y-%m}-03T12:00:00-04:00")


def test_with_minutes_the_sentence_says_what_would_cost_least(lately: None, owner: User, client: Client) -> None:
    client.force_login(owner)
    text = shown(client)
    assert "In the last 3 whole months you used 1,240 toll-free minutes a month." in text
    assert "With that, <strong>1,000 minutes</strong> would cost you least: $43.84 a month." in text
    assert text.count("Least for your minutes") == 1
    assert "$55.80 with your minutes" in text  # Pay-per-use
