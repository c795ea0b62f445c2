"""Estimates and previews: the current month, costs of a purchase, waived charges, charges after an activation."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from accounts.models import Account, PhoneNumber, User
from billing.actions import run_bills
from billing.models import Invoice
from billing.previews.estimate import bill_now, estimate, first_bills, waived_charges
from billing.previews.purchase import PurchaseCost, purchase_cost
from billing.wording import sentences
from onboarding.actions import activate
from onboarding.models import Onboarding
from subscriptions.actions import install, propose_subscription
from subscriptions.catalogue import catalogue_on, contact_center_of, held_by
from subscriptions.models import Price
from tests.billing.bills import APRIL, IN_APRIL, IN_MAY, MARCH, TOTAL, buy, called, march
from tests.conftest import INSTALLED
from tests.guarding import settle, sql
from tests.onboarding.worklist import ticks

IN_MARCH = datetime(2026, 3, 16, 14, tzinfo=UTC)
ON_THE_10TH = datetime(2026, 3, 10, 15, tzinfo=UTC)


def cost(account: Account, by: User, *, now: datetime = IN_MARCH, **wanted: Any) -> PurchaseCost:
    changed = replace(held_by(contact_center_of(account)), **wanted)
    changes = propose_subscription(account, changed, by=by, now=now).differences
    return purchase_cost(contact_center_of(account), changes, catalogue=catalogue_on(account.day_of(now)), now=now)


def amounts(costs: PurchaseCost) -> list[tuple[str, str]]:
    return [(str(line.this_month), str(line.per_month)) for line in costs.lines]


def test_twenty_five_seats_on_march_16(active: Account, owner: User) -> None:
    costs = cost(active, owner, seats=25)
    assert amounts(costs) == [("903.23", "1750.00")]
    assert (costs.this_month, costs.per_month) == (Decimal("903.23"), Decimal("1750.00"))


def test_in_onboarding_nothing_now_and_the_price_once_live(installed: Account, owner: User) -> None:
    assert amounts(cost(installed, owner, seats=2)) == [("0.00", "140.00")]


def test_lines_of_a_purchase_add_up_to_what_is_then_owed(active: Account, owner: User) -> None:
    wanted = {"seats": 3, "channels": frozenset({"channel-voice", "channel-chat"}), "storage": "storage-100"}
    costs = cost(active, owner, **wanted, package="tf-500")
    assert costs.per_month == Decimal(3 * 70 + 3 * 10 + 30 + 18)
    buy(active, owner, now=IN_MARCH, **wanted, package="tf-500")
    assert estimate(active, IN_MARCH).total == costs.this_month


ON_THE_15TH = datetime(2026, 11, 15, 17, tzinfo=UTC)


def test_a_package_from_the_middle_of_a_month_says_what_it_includes_then(active: Account, owner: User) -> None:
    (line,) = cost(active, owner, now=ON_THE_15TH, package="tf-500").lines
    assert [sentences().included(part) for part in line.included] == ["267 minutes included for Nov 15–30, 2026"]
    buy(active, owner, now=datetime(2026, 11, 1, 17, tzinfo=UTC), package="tf-500")
    (line,) = cost(active, owner, now=ON_THE_15TH, package="tf-2500").lines
    assert [sentences().included(part) for part in line.included] == [
        "234 minutes included for Nov 1–14, 2026", "1,334 minutes included for Nov 15–30, 2026",
    ]  # fmt: skip
    buy(active, owner, now=ON_THE_15TH, package="tf-2500")
    (usage,) = [part for part in estimate(active, ON_THE_15TH).lines if part.sku == "tf-2500"]
    assert usage.amount == Decimal("42.67"), "16 of 30 days of $80.00"


def test_nothing_is_said_of_included_minutes_if_they_stay_as_they_are(active: Account, owner: User) -> None:
    buy(active, owner, now=datetime(2026, 11, 1, 17, tzinfo=UTC), package="tf-2500")
    for package, channels in (("tf-500", None), ("tf-2500", frozenset())):
        wanted = {"package": package} | ({} if channels is None else {"channels": channels})
        assert [line.included for line in cost(active, owner, now=ON_THE_15TH, **wanted).lines] == [[]]
    assert cost(active, owner, now=datetime(2026, 12, 1, 17, tzinfo=UTC), package="tf-5000").lines[0].included == []


def test_taking_back_a_change_that_waits_costs_what_it_would_have_saved(active: Account, owner: User) -> None:
    buy(active, owner, now=ON_THE_10TH.replace(month=4), seats=10, package="tf-2500")
    now = datetime(2026, 4, 20, 14, tzinfo=UTC)
    buy(active, owner, now=now, seats=4, package="tf-500")
    costs = cost(active, owner, now=now, seats=10, package="tf-2500")
    # Six seats on ten of April's 30 days; no change from the package, which counts until May 1 anyway.
    assert amounts(costs) == [("140.00", "420.00"), ("0.00", "62.00")]
    assert [line.included for line in costs.lines] == [[], []]


def test_fewer_seats_cost_less_from_the_next_day(active: Account, owner: User) -> None:
    buy(active, owner, now=IN_MARCH, seats=3)
    assert amounts(cost(active, owner, now=datetime(2026, 3, 20, 14, tzinfo=UTC), seats=1)) == [("-49.68", "-140.00")]


def kept(account: Account, now: datetime) -> Decimal:
    found = waived_charges(account, now)
    assert found is not None
    return found.total


def test_what_onboarding_keeps_free_counts_its_days_only(
    installed: Account, owner: User, member: User, answered: PhoneNumber
) -> None:
    buy(installed, owner, now=ON_THE_10TH, seats=2)
    called("c1", at="2026-03-11T12:00:00-04:00")  # charged in onboarding, so not waived
    # Two seats of $70.00: three days of March, then 22 of them and ten of April.
    assert kept(installed, datetime(2026, 3, 12, 15, tzinfo=UTC)) == Decimal("13.55")
    assert kept(installed, datetime(2026, 4, 10, 15, tzinfo=UTC)) == Decimal("99.35") + Decimal("46.67")
    activate(installed, by=member, reason="Ready", now=datetime(2026, 3, 16, 12, tzinfo=UTC))
    live = Account.objects.get(pk=installed.pk)
    assert (
        waived_charges(live, IN_MARCH).total == waived_charges(live, IN_MAY).total == Decimal("27.10")
    )  # six days, from the 10th


def test_the_estimate_counts_the_months_own_minutes_after_late_calls(
    active: Account, answered: PhoneNumber, owner: User
) -> None:
    march(active, owner)
    run_bills(MARCH, now=IN_APRIL)
    called("late", minutes=30)
    called("april", minutes=7, at="2026-04-01T12:00:00-04:00")
    shown = estimate(active, IN_APRIL)
    assert (shown.month, shown.minutes) == (APRIL, 7)
    # Two seats, seven minutes, and the thirty minutes received after March was billed.
    assert shown.total == Decimal("140.00") + Decimal("0.32") + Decimal("1.35")
    assert shown.adjustments == Decimal("1.35")
    assert list(shown.lines) == list(bill_now(active, APRIL).lines)
    assert [line.kind for line in shown.lines] == ["recurring", "usage", "adjustment"]
    run_bills(APRIL, now=IN_MAY)
    assert Invoice.objects.get(month=APRIL).total == shown.total
    assert estimate(active, IN_MAY).adjustments is None, "it has been invoiced"


@pytest.fixture
def late_in_onboarding(installed: Account, answered: PhoneNumber) -> Account:
    """An account in onboarding that was billed for March and then received a late call in March."""
    called("march", minutes=100)
    run_bills(MARCH, now=IN_APRIL)
    called("late", minutes=30)
    called("april", minutes=7, at="2026-04-01T12:00:00-04:00")
    return installed


def test_the_first_bill_has_adjustments_that_are_known_if_it_is_of_the_running_month(
    late_in_onboarding: Account, member: User
) -> None:
    account = late_in_onboarding
    (shown,) = first_bills([account], {account.pk: date(2026, 4, 20)}, now=IN_APRIL).values()
    assert (shown.total, shown.adjustments) == (Decimal("1.67"), Decimal("1.35"))
    (of_may,) = first_bills([account], {account.pk: date(2026, 5, 20)}, now=IN_APRIL).values()
    assert (of_may.total, of_may.adjustments) == (0, None), "April's invoice carries it"
    activate(account, by=member, reason="Ready", now=datetime(2026, 4, 20, 12, tzinfo=UTC))
    run_bills(APRIL, now=IN_MAY)
    assert [line.value for line in Invoice.objects.get(month=APRIL).lines.all()] == list(shown.lines)


SAYS_SO = "This includes adjustments of $1.35 for earlier months, for calls received or corrected after those months"


def test_the_pages_say_what_of_an_estimate_is_about_earlier_months(
    late_in_onboarding: Account, owner: User, member: User, client: Client
) -> None:
    client.force_login(owner)
    for page in ("billing/", "contact-center/", "contact-center/go-live/"):
        text = " ".join(client.get(f"/accounts/100001/{page}").content.decode().split())
        assert text.count(SAYS_SO) == 1, page
        assert "adjustment for March 2026" in text, page
    client.force_login(member)
    account = Onboarding.objects.get().pk
    chosen = {"action": "activate_selected", "_selected_action": [account]}
    text = " ".join(client.post("/admin/onboarding/onboarding/", chosen).content.decode().split())
    assert (
        "including toll-free minutes so far and, for all accounts above, adjustments of $1.35 for earlier months. USD"
        in text
    )


def test_the_bill_now_is_what_a_run_then_issues(active: Account, answered: PhoneNumber, owner: User) -> None:
    march(active, owner)
    shown = bill_now(active, MARCH)
    run_bills(MARCH, now=IN_APRIL)
    assert shown.total == TOTAL
    assert [line.value for line in Invoice.objects.get().lines.all()] == list(shown.lines)
    assert bill_now(active, MARCH).lines == shown.lines


@pytest.fixture
def ready(make_account: Callable[..., Account], owner: User, catalogue: None) -> list[Account]:
    """Three accounts in onboarding, in time zones in which the same instant is on two different days."""
    accounts = []
    for place, zone in enumerate(("America/New_York", "Pacific/Auckland", "Asia/Kolkata")):
        account = make_account(f"20000{place}", owner=owner, timezone=zone)
        install(account, edition="cc-elite", by=owner, now=INSTALLED)
        addons = frozenset({"addon-crm", "addon-wfm"}) if place else frozenset()
        buy(account, owner, now=ON_THE_10TH, seats=place, addons=addons, storage="storage-25")
        accounts.append(account)
    return accounts


@pytest.mark.parametrize("day", [(3, 16, 12), (3, 31, 11), (4, 1, 3), (4, 30, 23)])
def test_the_preview_of_an_activation_is_the_bill_that_follows(
    ready: Sequence[Account], installed: Account, answered: PhoneNumber, owner: User, member: User,
    day: tuple[int, int, int],
) -> None:  # fmt: skip
    called("c1")
    buy(installed, owner, now=ON_THE_10TH, seats=1)
    now = datetime(2026, day[0], day[1], day[2], 30, tzinfo=UTC)
    accounts = [*ready, installed]
    shown = first_bills(accounts, {account.pk: account.day_of(now) for account in accounts})
    for account in accounts:
        activate(account, by=member, reason="Ready", now=now)
    for number in (3, 4, 5, 6):
        run_bills(date(2026, number, 1), now=datetime(2026, number + 1, 2, tzinfo=UTC))
    for account in accounts:
        month = account.day_of(now).replace(day=1)
        issued = Invoice.objects.filter(account=account, month=month).first()
        lines = [line.value for line in issued.lines.all()] if issued else []
        assert lines == list(shown[account.pk].lines)
        assert (issued.total if issued else 0) == shown[account.pk].total
        following = Invoice.objects.get(account=account, month=date(2026, month.month + 1, 1))
        assert following.total == shown[account.pk].monthly


def test_the_activation_page_shows_what_begins(ready: Sequence[Account], member: User, client: Client) -> None:
    client.force_login(member)
    chosen = {"action": "activate_selected", "_selected_action": list(Onboarding.objects.values_list("pk", flat=True))}
    text = " ".join(client.post("/admin/onboarding/onboarding/", chosen).content.decode().split())
    # Each pays 10 for storage; the two with one and two seats also pay 95 and 20 a seat, and 40.
    assert all(f">${amount}.00<" in text for amount in (10, 165, 280))
    assert ">$455.00<" not in text  # none is ready, so none is selected
    values = {"reason": "", "accounts": ",".join(str(a.pk) for a in ready), "despite": ticks(*ready)}
    text = " ".join(client.post("/admin/onboarding/onboarding/activate/", values).content.decode().split())
    assert "<strong>3 accounts</strong> · <strong>$455.00</strong> a month" in text
    assert "Monthly charge: each full month, without toll-free minutes. First invoice: this month" in text


def test_for_more_accounts_than_anybody_waits_for_the_page_says_so(
    ready: Sequence[Account], member: User, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.force_login(member)
    chosen = {"action": "activate_selected", "_selected_action": list(Onboarding.objects.values_list("pk", flat=True))}
    monkeypatch.setattr("billing.templatetags.billing.MOST_PREVIEWED", 2)
    text = " ".join(client.post("/admin/onboarding/onboarding/", chosen).content.decode().split())
    assert "Too many accounts to calculate the totals. Select fewer to see them." in text
    assert "3 accounts with objections" in text


@pytest.mark.owner
def test_what_can_not_be_priced_does_not_stop_the_page(
    ready: Sequence[Account], installed: Account, member: User, client: Client
) -> None:
    client.force_login(member)
    settle()
    sql("ALTER TABLE subscriptions_price DISABLE TRIGGER price_in_effect_is_final")
    for sku, said in (
        ("cc-elite", "Not included: 2 accounts whose subscription has no price."),
        ("tf-payperuse", "Charges can’t be calculated"),
    ):
        Price.objects.filter(item__sku=sku).delete()
        keys = list(Onboarding.objects.values_list("pk", flat=True))
        chosen = {"action": "activate_selected", "_selected_action": keys}
        answer = client.post("/admin/onboarding/onboarding/", chosen)
        assert said in " ".join(answer.content.decode().split())
