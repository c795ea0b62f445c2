"""An administrator corrects an account's time zone, as long as no invoice was issued (billing policy 15)."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.test import Client
from django.urls import reverse

from accounts.models import Account, PhoneNumber, Refusal, User
from billing.actions import correct_timezone
from billing.models import BilledMonth, CallRecord
from billing.previews.estimate import waived_charges
from billing.previews.packages import packages_for
from core.clock import database_now
from core.refusals import AlreadyDone
from onboarding.models import Onboarding
from subscriptions.catalogue import catalogue_on
from subscriptions.models import SubscriptionChange
from tests.accounts.zones import in_zone
from tests.billing.bills import bill, buy, customer
from tests.billing.call_rows import imported, row
from tests.guarding import UPDATES, named, nothing_written, refused_by

TOKYO = "Asia/Tokyo"


@pytest.fixture
def ada(make_user: Callable[..., User]) -> User:
    return make_user("ada@example.com", is_staff=True, is_superuser=True)


def page_of(account: Account) -> str:
    return reverse("admin:accounts_account_correct_timezone", args=[account.pk])


def test_an_administrator_corrects_it_on_a_page(installed: Account, ada: User, client: Client) -> None:
    client.force_login(ada)
    account_page = client.get(reverse("admin:accounts_account_change", args=[installed.pk])).content.decode()
    assert page_of(installed) in account_page
    page = client.get(page_of(installed)).content.decode()
    assert "is in the time zone America/New_York. No invoice has been issued yet" in page
    assert "Asia/Tokyo – Japan" in page
    answer = client.post(page_of(installed), {"timezone": TOKYO, "reason": "The office is in Tokyo"}, follow=True)
    assert "is now in the time zone Asia/Tokyo." in answer.content.decode()
    installed.refresh_from_db()
    assert installed.timezone == TOKYO
    latest = installed.history.latest()
    assert (latest.history_user, latest.history_change_reason) == (ada, "Time zone corrected: The office is in Tokyo")


def test_days_that_were_decided_stay(installed: Account, answered: PhoneNumber, ada: User, member: User) -> None:
    imported([row("c1", at="2026-03-17T23:30:00-04:00")])
    before = (
        list(SubscriptionChange.objects.values_list("day")),
        list(Onboarding.objects.values_list("started_on", "activated_on")),
    )
    correct_timezone(installed, timezone=TOKYO, reason="Moved", by=ada)
    assert CallRecord.objects.get().day == date(2026, 3, 17)
    after = (
        list(SubscriptionChange.objects.values_list("day")),
        list(Onboarding.objects.values_list("started_on", "activated_on")),
    )
    assert after == before
    imported([row("c2", at="2026-03-17T23:30:00-04:00")])
    assert CallRecord.objects.get(call_id="c2").day == date(2026, 3, 18)


def test_pages_count_from_the_day_of_the_start_that_was_decided(
    make_account: Callable[..., Account], catalogue: None, owner: User, ada: User
) -> None:
    account = make_account("100002", owner=owner)
    noon = datetime(2026, 4, 1, 12, tzinfo=UTC)  # on April 2 in Kiritimati
    customer(account, by=owner, team=None, seats=0, installed=noon)
    buy(account, owner, seats=2, now=noon)
    in_april, in_may = datetime(2026, 4, 20, tzinfo=UTC), date(2026, 5, 15)
    before = waived_charges(account, in_april)
    correct_timezone(account, timezone="Pacific/Kiritimati", reason="Moved", by=ada)
    account.refresh_from_db()
    after = waived_charges(account, in_april - timedelta(hours=18))  # the same day there
    assert before is not None
    assert after is not None
    assert after.total == before.total
    suggestion = packages_for(account, catalogue_on(in_may), in_may).suggestion
    assert suggestion is not None
    assert list(suggestion.months) == [0]  # all of April


def test_an_account_in_a_zone_that_nobody_knows_is_put_right(installed: Account, ada: User, client: Client) -> None:
    in_zone(installed, "Mars/Olympus")
    client.force_login(ada)
    assert "Mars/Olympus" in client.get(page_of(installed)).content.decode()
    client.post(page_of(installed), {"timezone": "America/New_York", "reason": "Was a typo"})
    installed.refresh_from_db()
    assert installed.decided_day(datetime(2026, 4, 1, tzinfo=UTC)) == date(2026, 3, 31)


def test_it_is_fixed_once_an_invoice_was_issued(
    installed: Account, answered: PhoneNumber, ada: User, client: Client
) -> None:
    imported([row("c1")])
    bill()
    client.force_login(ada)
    assert (
        page_of(installed)
        not in client.get(reverse("admin:accounts_account_change", args=[installed.pk])).content.decode()
    )
    answer = client.post(page_of(installed), {"timezone": TOKYO, "reason": "Moved"}, follow=True)
    assert "The time zone is fixed: INV-000001 was issued" in answer.content.decode()
    with pytest.raises(ValidationError) as refusal:
        correct_timezone(installed, timezone=TOKYO, reason="Moved", by=ada)
    assert refusal.value.code == "timezone_fixed"
    installed.refresh_from_db()
    assert installed.timezone == "America/New_York"


@pytest.mark.parametrize("way", UPDATES, ids=named)
def test_today_never_goes_back_into_a_month_that_was_billed(
    installed: Account, ada: User, client: Client, way: Callable[..., None]
) -> None:
    """Nothing was owed for that month, so it has no invoice, but anything bought in it would never be charged."""
    now = database_now()
    this_month = now.astimezone(ZoneInfo("Pacific/Kiritimati")).date().replace(day=1)
    BilledMonth.objects.create(account=installed, month=this_month, billed_at=now)
    client.force_login(ada)
    page = client.post(page_of(installed), {"timezone": TOKYO, "reason": "Moved"}).content.decode()
    assert f"{this_month:%B %Y} was billed already, and it has not ended in Asia/Tokyo" in page
    with refused_by("account_timezone_is_fixed"):
        way(installed, timezone=TOKYO)
    installed.refresh_from_db()
    assert installed.timezone == "America/New_York"


def test_a_month_that_was_billed_and_has_ended_in_both_zones_is_no_obstacle(installed: Account, ada: User) -> None:
    bill()
    assert BilledMonth.objects.filter(account=installed).exists()
    assert correct_timezone(installed, timezone=TOKYO, reason="Moved", by=ada).timezone == TOKYO


@pytest.mark.parametrize("who", ["member", "biller", "supporter", "owner"])
def test_nobody_else_can(request: pytest.FixtureRequest, installed: Account, client: Client, who: str) -> None:
    user = request.getfixturevalue(who)
    with nothing_written(but=(Refusal,)), pytest.raises(PermissionDenied):
        correct_timezone(installed, timezone=TOKYO, reason="Moved", by=user)
    client.force_login(user)
    answer = client.post(page_of(installed), {"timezone": TOKYO, "reason": "Moved"})
    assert answer.status_code in (302, 403)
    installed.refresh_from_db()
    assert installed.timezone == "America/New_York"


def test_an_administrator_who_was_switched_off_can_not(installed: Account, ada: User) -> None:
    User.objects.filter(pk=ada.pk).update(is_active=False)
    with pytest.raises(PermissionDenied):
        correct_timezone(installed, timezone=TOKYO, reason="Moved", by=ada)


@pytest.mark.parametrize("zone", ["Mars/Olympus", "EST", "US/Eastern"])
def test_the_new_zone_is_a_place(installed: Account, ada: User, client: Client, zone: str) -> None:
    with pytest.raises(ValidationError) as refusal:
        correct_timezone(installed, timezone=zone, reason="Moved", by=ada)
    assert set(refusal.value.error_dict) == {"timezone"}
    client.force_login(ada)
    page = client.post(page_of(installed), {"timezone": zone, "reason": "Moved"}).content.decode()
    assert "is not a time zone that can be chosen" in page


def test_it_needs_a_reason_and_another_zone(installed: Account, ada: User) -> None:
    with pytest.raises(ValidationError) as refusal:
        correct_timezone(installed, timezone=TOKYO, reason=" ", by=ada)
    assert set(refusal.value.error_dict) == {"reason"}
    with nothing_written(), pytest.raises(AlreadyDone):
        correct_timezone(installed, timezone="America/New_York", reason="Same", by=ada)
