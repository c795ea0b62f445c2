"""The database's guards of stored days (I24): each is the local day of its instant, and they are in order."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from accounts.models import Account, PhoneNumber, User
from accounts.zones import places
from billing.calls.matching import match_calls
from billing.models import CallRecord, Invoice
from onboarding.actions import activate
from onboarding.models import Onboarding
from subscriptions.actions import change_subscription, install
from subscriptions.catalogue import contact_center_of, held_by
from subscriptions.models import SubscriptionChange
from tests.accounts.zones import in_zone
from tests.billing.bills import bill
from tests.billing.call_rows import imported, row
from tests.conftest import INSTALLED
from tests.guarding import INSERTS, UPDATES, by_history_revert, by_upsert, named, refused_by, settle, sql

EXERCISED = {
    "activation_day_is_local",
    "activation_follows_changes",
    "change_day_is_decided",
    "call_day_is_local",
    "matched_call_day_is_local",
    "account_timezone_is_fixed",
}
NIGHT = datetime(2026, 3, 17, 3, 30, tzinfo=UTC)  # 23:30 on the 16th in New York
THE_16TH = date(2026, 3, 16)
A_DAY = timedelta(days=1)
Way = Callable[..., None]
WITHOUT_HISTORY = [way for way in UPDATES if way is not by_history_revert]


def activation(by: User, day: date | None) -> dict[str, Any]:
    return {
        "activated_at": NIGHT, "activated_on": day, "activated_by": by, "activated_from": "admin", "reason": "Ready",
    }  # fmt: skip


@pytest.mark.parametrize("way", UPDATES, ids=named)
@pytest.mark.parametrize("off", [-90, -1, 1], ids=str)
def test_the_day_of_an_activation_is_the_one_of_its_instant(
    installed: Account, member: User, way: Way, off: int
) -> None:
    with refused_by("activation_day_is_local", *["onboarding_is_born_in_onboarding"] * (way is by_upsert)):
        way(installed.onboarding, **activation(member, THE_16TH + off * A_DAY))
    Onboarding.objects.update(**activation(member, THE_16TH))
    assert Onboarding.objects.get().activated_on == THE_16TH


def test_the_day_that_a_writer_leaves_out_is_filled_in(account: Account, member: User) -> None:
    Onboarding.objects.create(account=account, started_at=NIGHT)
    assert Onboarding.objects.get().started_on == THE_16TH
    Onboarding.objects.update(**activation(member, None))
    assert Onboarding.objects.get().activated_on == THE_16TH


@pytest.mark.parametrize("way", INSERTS, ids=named)
def test_the_first_day_of_onboarding_is_the_one_of_its_instant(account: Account, way: Callable[[Any], None]) -> None:
    with refused_by("onboarding_is_born_in_onboarding"):
        way(Onboarding(account=account, started_at=NIGHT, started_on=THE_16TH + A_DAY))


@pytest.mark.parametrize("way", UPDATES, ids=named)
@pytest.mark.parametrize("field", ["started_on", "activated_on"])
def test_a_stored_day_never_changes(active: Account, way: Way, field: str) -> None:
    with refused_by("onboarding_activation_is_final", *["onboarding_is_born_in_onboarding"] * (way is by_upsert)):
        way(active.onboarding, **{field: date(2026, 3, 10)})


@pytest.mark.parametrize("way", INSERTS, ids=named)
@pytest.mark.parametrize("off", [-400, -1, 1], ids=str)
def test_the_day_of_a_change_is_the_one_of_its_instant(
    installed: Account, owner: User, way: Callable[[Any], None], off: int
) -> None:
    with refused_by("change_day_is_decided"):
        way(SubscriptionChange(account=installed, version=1, by=owner, at=NIGHT, day=THE_16TH + off * A_DAY))
    way(SubscriptionChange(account=installed, version=1, by=owner, at=NIGHT, day=THE_16TH))
    assert SubscriptionChange.objects.latest("version").day == THE_16TH


def buy_a_seat(account: Account, by: User, now: datetime) -> SubscriptionChange:
    held = held_by(contact_center_of(account))
    return change_subscription(account, type(held)(**{**vars(held), "seats": held.seats + 1}), by=by, now=now)


def moved_west(account: Account) -> None:
    """Correct the time zone to one in which it is a day earlier: Kiritimati's Tuesday is Pago Pago's Monday."""
    Account.objects.filter(pk=account.pk).update(timezone="Pacific/Pago_Pago")


def test_no_purchase_is_decided_for_a_day_before_the_last_one(
    make_account: Callable[..., Account], catalogue: None, owner: User
) -> None:
    account = _kiritimati(make_account, owner)
    moved_west(account)
    soon = INSTALLED + timedelta(hours=1)
    with refused_by("change_day_is_decided"):
        SubscriptionChange.objects.create(account=account, version=1, by=owner, at=soon)
    with pytest.raises(ValidationError) as refusal:
        buy_a_seat(account, owner, soon)
    assert refusal.value.code == "out_of_order"
    assert refusal.value.messages == [
        "The account's time zone was corrected, so today is earlier than the day of its last change. You can change "
        "the subscription from March 6, 2026."
    ]
    assert buy_a_seat(account, owner, INSTALLED + timedelta(days=1)).day == date(2026, 3, 6)


def test_no_activation_is_decided_for_a_day_before_the_last_purchase(
    make_account: Callable[..., Account], catalogue: None, owner: User, member: User
) -> None:
    account = _kiritimati(make_account, owner)
    moved_west(account)
    soon = INSTALLED + timedelta(hours=1)
    with refused_by("activation_follows_changes"):
        Onboarding.objects.update(**activation(member, None) | {"activated_at": soon})
    with pytest.raises(ValidationError, match="before that of its last purchase"):
        activate(account, by=member, reason="Ready", now=soon)
    assert activate(account, by=member, reason="Ready", now=soon + A_DAY).activated_on == date(2026, 3, 6)


def test_no_purchase_is_decided_for_a_day_before_the_activation(
    make_account: Callable[..., Account], catalogue: None, owner: User, member: User
) -> None:
    account = _kiritimati(make_account, owner)
    activate(account, by=member, reason="Ready", now=INSTALLED + A_DAY)
    moved_west(account)
    soon = INSTALLED + A_DAY + timedelta(hours=1)
    with refused_by("change_day_is_decided"):
        SubscriptionChange.objects.create(account=account, version=1, by=owner, at=soon)
    with pytest.raises(ValidationError) as refusal:
        buy_a_seat(account, owner, soon)
    assert refusal.value.code == "out_of_order"


def _kiritimati(make_account: Callable[..., Account], owner: User) -> Account:
    account = make_account("100002", owner=owner, timezone="Pacific/Kiritimati")
    install(account, edition="cc-pro", by=owner, now=INSTALLED)
    return account


@pytest.fixture
def call(answered: PhoneNumber) -> CallRecord:
    imported([row("c1", at="2026-03-17T03:30:00Z")])
    return CallRecord.objects.get()


@pytest.mark.parametrize("way", [way for way in INSERTS if named(way) not in ("by_raw_insert", "by_copy")], ids=named)
@pytest.mark.parametrize("off", [-60, -1, 1], ids=str)
def test_the_day_of_a_call_is_the_one_on_which_it_started(
    call: CallRecord, way: Callable[[Any], None], off: int
) -> None:
    assert call.day == THE_16TH
    call.pk, call.call_id, call.day = None, "c2", THE_16TH + off * A_DAY
    with refused_by("call_day_is_local"):
        way(call)


@pytest.mark.parametrize("way", WITHOUT_HISTORY, ids=named)
@pytest.mark.parametrize("off", [-60, -1, 1], ids=str)
def test_a_call_is_matched_to_the_day_on_which_it_started(
    account: Account, toll_free: PhoneNumber, way: Way, off: int
) -> None:
    Account.objects.update(created_at=datetime(2026, 1, 1, tzinfo=UTC))
    imported([row("c1", at="2026-03-17T03:30:00Z")])
    aside = CallRecord.objects.get(account=None)
    with refused_by("matched_call_day_is_local", "call_day_is_local"):
        way(aside, account=account, day=THE_16TH + off * A_DAY, matched_at=NIGHT)
    way(aside, account=account, day=THE_16TH, matched_at=NIGHT)
    assert CallRecord.objects.get().day == THE_16TH


@pytest.mark.parametrize("way", UPDATES, ids=named)
def test_the_time_zone_is_fixed_once_an_invoice_was_issued(call: CallRecord, account: Account, way: Way) -> None:
    bill()
    assert Invoice.objects.filter(account=account).exists()
    with refused_by("account_timezone_is_fixed"):
        way(account, timezone="Pacific/Auckland")


def test_a_corrected_zone_changes_no_decided_day(call: CallRecord, account: Account, active: Account) -> None:
    before = (
        sql("SELECT day FROM subscriptions_change"),
        sql("SELECT started_on, activated_on FROM onboarding_onboarding"),
    )
    Account.objects.update(timezone="Asia/Tokyo")
    settle()
    after = (
        sql("SELECT day FROM subscriptions_change"),
        sql("SELECT started_on, activated_on FROM onboarding_onboarding"),
    )
    assert after == before
    assert CallRecord.objects.get().day == THE_16TH
    imported([row("c2", at="2026-03-17T16:30:00Z")])
    assert CallRecord.objects.get(call_id="c2").day == date(2026, 3, 18)


def test_rows_from_before_the_upgrade_are_never_asked_again(active: Account, member: User) -> None:
    """A day that was decided by other rules stays, and the rest of the row can still be written."""
    settle()
    sql("ALTER TABLE onboarding_onboarding DISABLE TRIGGER USER")
    sql("UPDATE onboarding_onboarding SET activated_on = activated_on + 1, started_on = started_on - 1")
    settle()
    sql("ALTER TABLE onboarding_onboarding ENABLE TRIGGER USER")
    kept = Onboarding.objects.values_list("started_on", "activated_on").get()
    Onboarding.objects.update(owner=member)
    assert Onboarding.objects.values_list("started_on", "activated_on").get() == kept


def test_calls_of_an_account_in_an_unknown_zone_are_kept_until_it_is_corrected(
    call: CallRecord, account: Account
) -> None:
    in_zone(account, "Mars/Olympus")
    received = imported([row("c2", at="2026-03-17T03:30:00Z")])
    assert (received.added, received.unmatched) == (1, 1)
    assert match_calls() == 0
    Account.objects.update(timezone=sorted(places())[0])
    assert match_calls() == 1
    assert CallRecord.objects.get(call_id="c2").account == account


MANY = 40_000  # a guard that compared all rows with one another would exceed the settings' statement timeout


def look_again(tables: str) -> None:
    """Update the planner's statistics and discard cached plans, both of which may be from tests with few rows."""
    sql(f"ANALYZE {tables}")
    sql("DISCARD PLANS")


def test_the_guards_look_at_each_row_of_a_large_match_once(call: CallRecord, account: Account) -> None:
    settle()
    sql("ALTER TABLE billing_callrecord DISABLE TRIGGER USER")
    sql("UPDATE billing_callrecord SET account_id = NULL, day = NULL, matched_at = NULL")
    sql(
        "INSERT INTO billing_callrecord (call_id, number, caller, started_at, seconds, is_toll_free, received_in_id) "
        "SELECT 'many' || n, number, caller, started_at, seconds, is_toll_free, received_in_id "
        "FROM billing_callrecord, generate_series(1, %s) n",
        MANY,
    )
    settle()
    sql("ALTER TABLE billing_callrecord ENABLE TRIGGER USER")
    look_again("billing_callrecord")
    assert match_calls() == MANY + 1


def test_the_guards_look_at_each_account_of_a_large_activation_once(installed: Account, member: User) -> None:
    settle()
    sql("ALTER TABLE onboarding_onboarding DISABLE TRIGGER onboarding_leaves_history")  # it works row by row
    sql(
        "INSERT INTO accounts_account (number, company, timezone) "
        "SELECT 1000000 + n, 'Many', 'America/New_York' FROM generate_series(1, %s) n",
        MANY,
    )
    look_again("accounts_account")
    sql(
        "INSERT INTO onboarding_onboarding (account_id, started_at, activated_from, reason) "
        "SELECT id, %s, '', '' FROM accounts_account WHERE company = 'Many'",
        INSTALLED,
    )
    look_again("onboarding_onboarding")
    assert Onboarding.objects.update(**activation(member, THE_16TH)) == MANY + 1
