"""A late month is settled once, by the bill that invoices its difference, and is never read again (policy 11)."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from accounts.models import Account, User
from billing.actions import release_bill
from billing.calls import locking
from billing.models import BilledMonth, BillOnHold, LateMonth
from billing.runs import chunk
from tests.billing.bills import APRIL, IN_APRIL, IN_JUNE, IN_MAY, MARCH, MAY, bill, buy, called, lines, number_of
from tests.billing.calls.test_import_races import WITHOUT_LOCK
from tests.guarding import INSERTS, UPDATES, by_history_revert, by_upsert, named, refused_by, sql
from tests.racing import overlap

EXERCISED = {"late_month_is_settled_once", "billing_latemonth_is_kept"}
WAYS = [way for way in UPDATES if way is not by_history_revert]
JUNE, IN_JULY = date(2026, 6, 1), datetime(2026, 7, 2, 12, tzinfo=UTC)


@pytest.fixture
def late(charged: Account, owner: User) -> Account:
    """An account that was billed for March and then received a late call of 50 minutes in March."""
    number_of(charged, "+18005550100", by=owner)
    called("c1", minutes=100)
    bill()
    called("c2", minutes=50)
    assert states() == [(MARCH, None)]
    return charged


def states() -> list[tuple[date, datetime | None]]:
    return list(LateMonth.objects.order_by("pk").values_list("month", "settled_at"))


def adjusted(account: Account, month: date) -> list[str]:
    return [amount for kind, _, amount in lines(account, month) if kind == "adjustment"]


def test_a_late_call_is_adjusted_once_and_settled_and_a_further_one_opens_another(late: Account) -> None:
    bill(APRIL, IN_MAY)
    assert (adjusted(late, APRIL), states()) == (["2.25"], [(MARCH, IN_MAY)])
    bill(MAY, IN_JUNE)
    assert (adjusted(late, MAY), states()) == ([], [(MARCH, IN_MAY)])
    called("c3", minutes=10)
    called("c4", minutes=10)
    assert states() == [(MARCH, IN_MAY), (MARCH, None)]
    bill(JUNE, IN_JULY)
    assert (adjusted(late, JUNE), states()) == (["0.90"], [(MARCH, IN_MAY), (MARCH, IN_JULY)])


def test_once_settled_no_run_reads_the_months_before(late: Account) -> None:
    with CaptureQueriesContext(connection) as first:
        bill(APRIL, IN_MAY)
    with CaptureQueriesContext(connection) as second:
        bill(MAY, IN_JUNE)
    assert read(first) == 1
    assert read(second) == 0
    assert len(second) < len(first)


def read(queries: CaptureQueriesContext) -> int:
    """Return how many of the queries read what was invoiced for earlier months."""
    return sum('FROM "billing_invoiceline"' in query["sql"] for query in queries)


def test_a_difference_of_nothing_is_settled_too(active: Account, owner: User) -> None:
    """Minutes that the package includes change no amount, and if nothing else is owed there is no invoice."""
    number_of(active, "+18005550100", by=owner)
    buy(active, owner, package="tf-500")
    bill()
    called("c1", minutes=5)
    assert states() == [(MARCH, None)]
    bill(APRIL, IN_MAY)
    assert adjusted(active, APRIL) == []
    assert states() == [(MARCH, IN_MAY)]


def test_only_the_months_before_the_one_billed_are_settled(late: Account) -> None:
    bill(MAY, IN_JUNE)
    called("c3", minutes=10, at="2026-05-20T12:00:00-04:00")
    called("c4", minutes=20)
    assert states() == [(MARCH, IN_JUNE), (MAY, None), (MARCH, None)]
    bill(APRIL, IN_JUNE)
    assert (adjusted(late, APRIL), states()) == (["0.90"], [(MARCH, IN_JUNE), (MAY, None), (MARCH, IN_JUNE)])
    bill(JUNE, IN_JULY)
    assert (adjusted(late, JUNE), states()[1]) == (["0.45"], (MAY, IN_JULY))


def test_a_bill_that_is_held_settles_nothing_until_it_is_released(late: Account, biller: User, settings: Any) -> None:
    settings.BILL_HOLD_USAGE_ABOVE = 1
    settings.BILL_HOLD_USAGE_TIMES = 0
    assert bill(APRIL, IN_MAY).on_hold.keys() == {late.pk}
    assert states() == [(MARCH, None)]
    release_bill(late, BillOnHold.objects.get(), by=biller, now=IN_JUNE)
    assert (adjusted(late, APRIL), states()) == (["2.25"], [(MARCH, IN_JUNE)])


def test_a_run_that_fails_settles_nothing(late: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(name: str) -> None:
        if name == "before commit":
            raise IntegrityError("The disk is full")

    monkeypatch.setattr(chunk, "checkpoint", fail)
    assert bill(APRIL, IN_MAY).failed.keys() == {late.pk}
    assert states() == [(MARCH, None)]


def test_a_dry_run_settles_nothing(late: Account) -> None:
    assert bill(APRIL, IN_MAY, dry_run=True).lines == 2
    assert states() == [(MARCH, None)]


@pytest.fixture
def settled(late: Account) -> LateMonth:
    bill(APRIL, IN_MAY)
    return LateMonth.objects.get()


@pytest.mark.parametrize("way", WAYS, ids=named)
@pytest.mark.parametrize("field", [{"settled_at": None}, {"settled_at": IN_JUNE}, {"month": MAY}], ids=named)
def test_a_settled_one_never_changes(settled: LateMonth, way: Callable[..., None], field: dict[str, Any]) -> None:
    with refused_by("late_month_is_settled_once"):
        way(settled, **field)


@pytest.mark.parametrize("way", [way for way in WAYS if way is not by_upsert], ids=named)
@pytest.mark.owner
def test_an_open_one_is_settled_by_a_later_bill_and_nothing_else(late: Account, way: Callable[..., None]) -> None:
    row = LateMonth.objects.get()
    # Nothing was billed at IN_MAY, and at IN_APRIL the month itself was billed.
    for forged in (
        {"month": APRIL},
        {"settled_at": IN_APRIL, "month": APRIL},
        {"settled_at": IN_APRIL},
        {"settled_at": IN_MAY},
    ):
        with refused_by("late_month_is_settled_once"):
            way(row, **forged)
    BilledMonth.objects.create(account=late, month=APRIL, billed_at=IN_MAY)
    way(row, settled_at=IN_MAY)
    assert states() == [(MARCH, IN_MAY)]


@pytest.mark.parametrize("way", INSERTS, ids=named)
def test_none_is_added_that_is_settled_and_one_at_a_time_is_open(late: Account, way: Callable[[Any], None]) -> None:
    with refused_by("late_month_is_settled_once"):
        way(LateMonth(account=late, month=APRIL, settled_at=IN_MAY))
    with pytest.raises(IntegrityError, match="a_month_is_late_once_at_a_time"), transaction.atomic():
        way(LateMonth(account=late, month=MARCH))


@pytest.mark.owner
def test_they_are_never_deleted_or_emptied(settled: LateMonth, late: Account) -> None:
    called("c3")
    for attack in (
        LateMonth.objects.all().delete,
        lambda: LateMonth._base_manager.all()._raw_delete("default"),
        lambda: sql("DELETE FROM billing_latemonth"),
        lambda: sql("MERGE INTO billing_latemonth USING (SELECT 1) s ON true WHEN MATCHED THEN DELETE"),
    ):
        with refused_by("late_month_is_settled_once"):
            attack()
    with refused_by("billing_latemonth_is_kept"):
        sql("SET LOCAL guards.truncate = 'refused'")
        sql("SET CONSTRAINTS ALL IMMEDIATE")
        sql("TRUNCATE billing_latemonth")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("locked", [True, False])
def test_a_call_that_comes_while_a_run_settles_its_month_is_not_lost(
    late: Account, monkeypatch: pytest.MonkeyPatch, locked: bool
) -> None:
    """The run has read the calls and settled the month, and is about to commit.

    The control, without the lock, loses the call: its month is already late, so no other is opened, and then the run
    settles that one.
    """
    if not locked:
        monkeypatch.setattr(locking, "LOCK", WITHOUT_LOCK)
    place = (chunk, "after lines")
    billing, arriving = overlap(monkeypatch, place, lambda: bill(APRIL, IN_MAY), lambda: called("c3", minutes=10))
    assert not billing.result().failed
    arriving.result()
    assert adjusted(late, APRIL) == ["2.25"]
    assert states() == ([(MARCH, IN_MAY), (MARCH, None)] if locked else [(MARCH, IN_MAY)])
    monkeypatch.setattr(chunk, "checkpoint", lambda name: None)
    bill(MAY, IN_JUNE)
    assert adjusted(late, MAY) == (["0.45"] if locked else [])
