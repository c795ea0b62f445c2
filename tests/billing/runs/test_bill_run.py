"""`run_bills`: which accounts are billed for which month, also if it is run again or fails for one of them."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError

from accounts.models import Account, User
from billing.inputs import inputs_of, tariffs
from billing.models import LINE_FIELDS, BilledMonth, BillRun, Counter, FailedBill, Invoice, InvoiceLine
from billing.runs.run import last_ended_month
from billing.runs.unbilled import unbilled
from onboarding.actions import activate
from subscriptions.models import Holding, Item, Price, SubscriptionChange
from tests.billing.bills import (
    APRIL,
    IN_APRIL,
    IN_MAY,
    MARCH,
    SEAT,
    Customers,
    bill,
    buy,
    called,
    customer,
    invoices,
    lines,
    number_of,
    numbers,
)
from tests.conftest import codes
from tests.guarding import nothing_written, sql


@pytest.mark.parametrize(
    ("now", "month"),
    [
        (datetime(2026, 4, 1, 11, 59, tzinfo=UTC), date(2026, 2, 1)),
        (datetime(2026, 4, 1, 12, 0, tzinfo=UTC), MARCH),
        (datetime(2026, 4, 30, 23, tzinfo=UTC), MARCH),
        (datetime(2027, 1, 15, tzinfo=UTC), date(2026, 12, 1)),
    ],
)
def test_the_default_is_the_last_month_that_ended_everywhere(now: datetime, month: date) -> None:
    assert last_ended_month(now) == month


def test_what_is_invoiced_is_what_the_facts_say(customers: Customers, owner: User) -> None:
    accounts = customers(4)
    number_of(accounts[2], "+18005550100", by=owner)
    called("c1", minutes=300)
    keys = [account.pk for account in accounts]
    facts = inputs_of(keys, MARCH, tariffs())
    expected = {
        (key, MARCH): [tuple(getattr(line, name) for name in LINE_FIELDS) for line in facts[key].to_invoice(MARCH)]
        for key in keys
    }
    summary = bill()
    assert {key: found for key, (_, _, found) in invoices().items()} == expected
    assert [invoices()[key, MARCH][0] for key in keys] == [
        Decimal("36.13"), Decimal("72.26"), Decimal("108.39") + Decimal("13.50"), Decimal("144.52"),
    ]  # fmt: skip
    assert (summary.accounts, summary.invoices, summary.lines) == (4, 4, 5)
    assert summary.total == sum(total for total, _, _ in invoices().values()) == Decimal("374.80")
    run = BillRun.objects.get()
    assert (run.month, run.accounts, run.invoices, run.lines, run.total) == (MARCH, 4, 4, 5, summary.total)
    assert (run.on_hold, run.failed, run.started_at) == (0, 0, IN_APRIL)
    assert run.finished_at is not None


def test_run_again_nothing_is_left(customers: Customers) -> None:
    customers(3)
    bill()
    with nothing_written():
        again = bill()
    assert (again.accounts, again.invoices, again.lines, again.total) == (0, 0, 0, 0)
    assert (again.run, again.is_empty) == (None, True)
    assert unbilled(MARCH, now=IN_APRIL).keys == []


def test_a_dry_run_writes_nothing_and_tells_the_same(customers: Customers) -> None:
    accounts = customers(3)
    with nothing_written():
        dry = bill(dry_run=True)
    assert dry.biggest == [(SEAT * seats, accounts[seats - 1].pk) for seats in (3, 2, 1)]
    wet = bill()
    dry.run = wet.run
    assert dry == wet


def test_some_accounts_are_billed_and_then_the_others(customers: Customers) -> None:
    first, second, third = customers(3)
    assert bill(accounts=[second.pk]).accounts == 1
    assert set(invoices()) == {(second.pk, MARCH)}
    assert bill().accounts == 2
    assert {key: number for key, number in Invoice.objects.values_list("account", "number")} == {
        second.pk: 1, first.pk: 2, third.pk: 3,
    }  # fmt: skip


def test_chunks_of_any_size_bill_the_same(customers: Customers) -> None:
    customers(5)
    told: list[tuple[int, int]] = []
    summary = bill(chunk=2, progress=lambda done, everyone: told.append((done, everyone)))
    assert told == [(2, 5), (4, 5), (5, 5)]
    assert (summary.accounts, numbers()) == (5, [1, 2, 3, 4, 5])


def test_a_month_without_anything_owed_is_billed_without_an_invoice(installed: Account) -> None:
    summary = bill()
    assert (summary.accounts, summary.invoices) == (1, 0)
    assert BilledMonth.objects.get().account == installed
    assert not Counter.objects.exists()


@pytest.mark.parametrize("now", [datetime(2026, 3, 31, 9, 59, tzinfo=UTC), datetime(2026, 3, 1, tzinfo=UTC)])
def test_a_month_that_ended_nowhere_is_refused(charged: Account, now: datetime) -> None:
    for dry_run in (True, False):
        with nothing_written(), pytest.raises(ValidationError) as refusal:
            bill(now=now, dry_run=dry_run)
        assert codes(refusal.value) == {("__all__", "month_not_ended")}
        assert refusal.value.messages == [
            "March 2026 has not ended anywhere yet: it can be billed from the 1st of the next month."
        ]


def test_a_month_is_billed_where_it_has_ended(
    catalogue: None, make_account: Callable[..., Account], owner: User, member: User
) -> None:
    zones = ["Pacific/Kiritimati", "Europe/Paris", "America/New_York", "Pacific/Niue"]
    accounts = [make_account(f"30000{place}", owner=owner, timezone=zone) for place, zone in enumerate(zones)]
    for account in accounts:
        customer(account, by=owner, team=member)
    ends = [datetime(2026, 3, 31, 10), datetime(2026, 3, 31, 22), datetime(2026, 4, 1, 4), datetime(2026, 4, 1, 11)]  # noqa: DTZ001
    for done, end in enumerate((end.replace(tzinfo=UTC) for end in ends), 1):
        if done > 1:
            assert bill(now=end - timedelta(microseconds=1)).accounts == 0
        assert bill(now=end).accounts == 1
        assert [key for key, _ in invoices()] == [account.pk for account in accounts[:done]]
    assert numbers() == [1, 2, 3, 4]


def test_an_account_installed_later_is_not_billed_for_a_month_before(
    charged: Account, make_account: Callable[..., Account], owner: User
) -> None:
    """In New York, it was installed in the first minute of April, or in the last minute of March."""
    late, early = (make_account(f"30000{place}", owner=owner) for place in (1, 2))
    customer(late, by=owner, team=None, seats=0, installed=datetime(2026, 4, 1, 4, 0, tzinfo=UTC))
    customer(early, by=owner, team=None, seats=0, installed=datetime(2026, 4, 1, 3, 59, tzinfo=UTC))
    bill()
    assert set(BilledMonth.objects.values_list("account", flat=True)) == {charged.pk, early.pk}
    with nothing_written():
        assert bill().accounts == 0
    assert bill(APRIL, IN_MAY).accounts == 3


@pytest.fixture
def odd_item(customers: Customers, owner: User) -> list[Account]:
    """Three accounts; the middle one has an item without a price."""
    accounts = customers(3)
    item = Item.objects.create(sku="addon-odd", name="Odd", kind="addon", charged_per="account")
    like = Holding.objects.filter(account=accounts[1]).latest("pk")
    change = SubscriptionChange.objects.filter(account=accounts[1]).latest("version")
    Holding.objects.create(account=accounts[1], item=item, slot=item.pk, quantity=1, period=like.period, change=change)
    return accounts


def test_an_account_without_a_price_is_set_aside_and_billed_by_the_next_run(odd_item: list[Account]) -> None:
    first, poisoned, last = odd_item
    summary = bill()
    assert list(summary.failed) == [poisoned.pk]
    assert set(invoices()) == {(first.pk, MARCH), (last.pk, MARCH)}
    assert numbers() == [1, 2]
    assert not BilledMonth.objects.filter(account=poisoned).exists()
    failure = FailedBill.objects.get()
    assert (failure.account, failure.run, failure.at) == (poisoned, BillRun.objects.get(), IN_APRIL)
    assert failure.reason == summary.failed[poisoned.pk] == "addon-odd has no price on 2026-03-16."
    assert BillRun.objects.get().failed == 1

    Price.objects.create(item=Item.objects.get(sku="addon-odd"), effective_from=MARCH, monthly_price=31)
    again = bill()
    assert (again.accounts, again.failed, numbers()) == (1, {}, [1, 2, 3])
    assert lines(poisoned, MARCH) == [("recurring", "cc-pro", "72.26"), ("recurring", "addon-odd", "16.00")]


POISON = """
    CREATE FUNCTION poison() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN IF NEW.account_id = {key} THEN RAISE EXCEPTION 'poisoned' {using}; END IF; RETURN NEW; END $$;
    CREATE TRIGGER poison BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION poison()
"""
HELD_WORDS = "An invoice's total is the sum of its lines."


@pytest.mark.parametrize("table", ["billing_billedmonth", "billing_invoice"])
@pytest.mark.parametrize(
    ("using", "reason"),
    [
        ("", "poisoned"),
        ("USING ERRCODE = '23514', CONSTRAINT = 'invoice_is_the_sum_of_its_lines'", HELD_WORDS),
        ("USING ERRCODE = '22003'", "poisoned"),
    ],
    ids=["an error of its own", "a guard", "a number out of range"],
)
@pytest.mark.owner
def test_one_account_the_database_refuses_is_set_aside_and_leaves_no_gap(
    customers: Customers, table: str, using: str, reason: str
) -> None:
    """The invoice's trigger fires after numbers were taken. Those of a chunk that is rolled back are used again."""
    accounts = customers(5)
    poisoned = accounts[2]
    sql(POISON.format(key=poisoned.pk, table=table, using=using))
    summary = bill()
    assert {key: words.splitlines()[0] for key, words in summary.failed.items()} == {poisoned.pk: reason}
    assert (summary.accounts, summary.invoices, numbers()) == (4, 4, [1, 2, 3, 4])
    assert InvoiceLine.objects.count() == BilledMonth.objects.count() == 4
    assert (Counter.objects.get().invoices, FailedBill.objects.count()) == (4, 1)

    sql("DROP FUNCTION poison CASCADE")
    assert (bill().accounts, numbers()) == (1, [1, 2, 3, 4, 5])


def test_a_late_call_is_adjusted_on_the_next_invoice_and_nothing_else(charged: Account, owner: User) -> None:
    number_of(charged, "+18005550100", by=owner)
    called("c1", minutes=100)
    bill()
    before = invoices()
    called("c2", minutes=50, caller="late")
    with nothing_written():
        assert bill().accounts == 0
    bill(APRIL, IN_MAY)
    after = invoices()
    assert after.pop((charged.pk, APRIL))[0] == Decimal("72.25")
    assert after == before
    assert lines(charged, APRIL) == [("recurring", "cc-pro", "70.00"), ("adjustment", "tf-payperuse", "2.25")]
    bill(date(2026, 5, 1), datetime(2026, 6, 2, tzinfo=UTC))
    assert lines(charged, date(2026, 5, 1)) == [("recurring", "cc-pro", "70.00")]


def test_a_call_that_comes_twice_is_billed_once(charged: Account, owner: User) -> None:
    number_of(charged, "+18005550100", by=owner)
    called("c1", minutes=100)
    with pytest.raises(AssertionError):
        called("c1", minutes=100)
    bill()
    with pytest.raises(AssertionError):
        called("c1", minutes=100)
    bill(APRIL, IN_MAY)
    assert lines(charged, MARCH)[1:] == [("usage", "tf-payperuse", "4.50")]
    assert lines(charged, APRIL) == [("recurring", "cc-pro", "70.00")]


def test_nothing_of_onboarding_but_minutes_is_ever_billed(installed: Account, owner: User, member: User) -> None:
    """I6 and I7: two seats since March 16, a call on the 20th, activated on April 21."""
    buy(installed, owner, seats=2)
    number_of(installed, "+18005550100", by=owner)
    called("c1", minutes=100)
    bill()
    activate(installed, by=member, reason="Ready", now=datetime(2026, 4, 21, 12, tzinfo=UTC))
    bill(APRIL, IN_MAY)
    assert lines(installed, MARCH) == [("usage", "tf-payperuse", "4.50")]
    assert lines(installed, APRIL) == [("recurring", "cc-pro", "46.67")]  # 2 × $70.00 × 10/30
