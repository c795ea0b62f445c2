"""A rejected bill waits, counted, until something it is computed from changes, or until a person runs it (R42)."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from accounts.models import Account, PhoneNumber, User
from billing.actions import reject_bill, release_bill, run_bills_automatically
from billing.models import BilledMonth, BillOnHold, BillRun, Invoice
from billing.tasks import bill_run
from subscriptions.models import Price
from tests.billing.bills import APRIL, IN_APRIL, IN_MAY, MARCH, bill, called, customer, held_back, nowhere
from tests.guarding import nothing_written, settle, sql

LATER = IN_APRIL + timedelta(hours=1)


@pytest.fixture
def rejected(active: Account, answered: PhoneNumber, owner: User, biller: User, settings: Any) -> BillOnHold:
    """A bill for 100 minutes in March that was put on hold and rejected. The automatic run is on."""
    settings.BILL_RUN_BY_ITSELF = True
    held = held_back(active, owner, settings)
    return reject_bill(held.account, held, note="Feed sent seconds as minutes", by=biller)


def runs(now: datetime = LATER) -> list[tuple[date, int, int]]:
    """Run the automatic run, and return each month with its numbers of accounts billed and of bills on hold."""
    return [(done.month, done.accounts, len(done.on_hold)) for done in run_bills_automatically(now=now)]


def test_it_is_not_billed_again_every_hour(rejected: BillOnHold) -> None:
    assert len(rejected.digest) == 64
    for hours in (1, 24, 24 * 20):
        with nothing_written():
            assert runs(IN_APRIL + timedelta(hours=hours)) == []


def test_a_call_that_comes_has_it_billed_again_once(rejected: BillOnHold) -> None:
    called("more")
    assert runs() == [(MARCH, 0, 1)]
    assert list(BillOnHold.objects.order_by("pk").values_list("state", "digest")) == [
        ("rejected", rejected.digest), ("held", ""),
    ]  # fmt: skip
    with nothing_written():
        assert runs() == []


def test_a_call_of_another_month_is_no_reason(rejected: BillOnHold) -> None:
    called("in April", at="2026-04-01T12:00:00-04:00")
    with nothing_written():
        assert runs() == []


@pytest.mark.owner
def test_a_price_that_changes_has_it_billed_again(rejected: BillOnHold) -> None:
    sql("SET session_replication_role = replica")
    Price.objects.filter(item__sku="tf-payperuse").update(per_minute=Decimal("0.0001"))
    sql("SET session_replication_role = origin")
    assert runs() == [(MARCH, 1, 0)]
    assert Invoice.objects.get().total == Decimal("72.27")


def test_a_corrected_time_zone_has_it_billed_again(rejected: BillOnHold) -> None:
    nowhere(rejected.account, "America/Chicago")
    assert runs() == [(MARCH, 0, 1)]


@pytest.mark.owner
def test_one_that_can_not_be_priced_waits_and_is_billed_when_it_can(
    active: Account, answered: PhoneNumber, owner: User, biller: User, settings: Any
) -> None:
    settings.BILL_RUN_BY_ITSELF = True
    held = held_back(active, owner, settings)
    settle()
    sql("ALTER TABLE subscriptions_price DISABLE TRIGGER USER")
    prices = list(Price.objects.filter(item__sku="cc-pro"))
    Price.objects.filter(item__sku="cc-pro").delete()
    reject_bill(held.account, held, note="A price is missing", by=biller)
    with nothing_written():
        assert runs() == []
    Price.objects.bulk_create(prices)
    assert runs() == [(MARCH, 0, 1)]


@pytest.mark.parametrize("zone", ["Mars/Olympus", ""])
def test_one_in_a_zone_nobody_knows_stops_nobody(
    rejected: BillOnHold, make_account: Callable[..., Account], owner: User, member: User, zone: str
) -> None:
    nowhere(rejected.account, zone)
    other = make_account("300001", owner=owner)
    customer(other, by=owner, team=member)
    runs()
    assert BilledMonth.objects.get().account == other


def test_a_person_runs_it_at_any_time(rejected: BillOnHold, settings: Any) -> None:
    assert bill(now=LATER).on_hold.keys() == {rejected.account_id}
    assert BillOnHold.objects.waiting().count() == 1


def test_the_command_takes_it_too(rejected: BillOnHold, settings: Any) -> None:
    settings.BILL_HOLD_USAGE_ABOVE = 2_000
    call_command("bill_run", "--month", "2026-03", stdout=StringIO())
    assert Invoice.objects.get().month == MARCH
    assert not BillOnHold.objects.rejected_and_unbilled().exists()


@pytest.mark.parametrize(("total", "again"), [("76.76", []), ("80.00", [(MARCH, 0, 1)])])
@pytest.mark.owner
def test_of_one_rejected_before_there_were_digests_the_total_is_compared(
    rejected: BillOnHold, total: str, again: list[Any]
) -> None:
    sql("SET session_replication_role = replica")
    BillOnHold.objects.update(digest="", total=total)
    sql("SET session_replication_role = origin")
    assert runs() == again


def test_a_rejected_month_does_not_hold_up_the_next(rejected: BillOnHold) -> None:
    may = datetime(2026, 5, 3, tzinfo=UTC)
    assert runs(may) == [(APRIL, 1, 0)]
    assert (BillRun.objects.filter(month=MARCH).count(), BilledMonth.objects.get().month) == (1, APRIL)


def test_a_released_bill_has_no_digest(
    active: Account, answered: PhoneNumber, owner: User, biller: User, settings: Any
) -> None:
    held = held_back(active, owner, settings)
    release_bill(held.account, held, by=biller)
    assert BillOnHold.objects.values_list("state", "digest").get() == ("released", "")


@pytest.mark.owner
def test_those_that_wait_are_counted_and_listed(rejected: BillOnHold, biller: User, client: Client) -> None:
    client.force_login(biller)
    page = client.get("/admin/").content.decode()
    link = f"{reverse('admin:billing_billonhold_changelist')}?waits=rejected"
    assert f'<a class="figure" href="{link}"><b class="late">1</b>rejected and not billed since</a>' in page
    assert [row.pk for row in client.get(link).context["cl"].result_list] == [rejected.pk]
    bill(now=LATER)  # on hold again, waiting for a decision
    assert "<b>0</b>rejected and not billed since" in client.get("/admin/").content.decode()
    assert client.get(link).context["cl"].result_count == 0
    waiting = client.get(link.replace("rejected", "decision"))
    assert [row.pk for row in waiting.context["cl"].result_list] == [BillOnHold.objects.waiting().get().pk]


@pytest.mark.owner
def test_the_page_says_what_a_rejection_means(
    active: Account, answered: PhoneNumber, owner: User, biller: User, client: Client, settings: Any
) -> None:
    held = held_back(active, owner, settings)
    client.force_login(biller)
    text = " ".join(client.get(reverse("admin:billing_billonhold_reject", args=[held.pk])).content.decode().split())
    assert "again once something that the bill is computed from has changed, or when somebody runs the month" in text


def test_it_is_no_missing_bill(rejected: BillOnHold) -> None:
    out = StringIO()
    call_command("check_billing", "--month", "2026-03", stdout=out)
    assert "0 not billed" in out.getvalue()


def test_the_job_passes_over_it(rejected: BillOnHold) -> None:
    """By the real clock, months later: all months that ended since are billed, and the rejected one waits."""
    told = bill_run()
    assert told.startswith("April 2026: 1 accounts")
    assert not BilledMonth.objects.filter(month=MARCH).exists()


def test_a_late_call_of_a_month_before_has_it_billed_again(
    active: Account, answered: PhoneNumber, owner: User, biller: User, settings: Any
) -> None:
    settings.BILL_RUN_BY_ITSELF, settings.BILL_HOLD_USAGE_ABOVE = True, 1
    bill()
    called("in April", at="2026-04-20T12:00:00-04:00")
    assert bill(APRIL, IN_MAY).on_hold.keys() == {active.pk}
    reject_bill(active, BillOnHold.objects.get(), note="Wait for March", by=biller)
    assert runs(IN_MAY) == []
    called("in March")
    assert runs(IN_MAY) == [(APRIL, 0, 1)]
