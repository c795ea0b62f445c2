"""The database's guards of call records: each is identified by its id, counted once, and matched once (I12)."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from accounts.models import Account, PhoneNumber
from billing.models import CallImport, CallRecord
from tests.billing.call_rows import imported, row
from tests.guarding import INSERTS, UPDATES, by_history_revert, named, nothing_written, refused_by, sql

EXERCISED = {"call_record_is_final"}
WAYS = [way for way in UPDATES if way is not by_history_revert]
NOON = datetime(2026, 3, 20, 12, tzinfo=UTC)
MATCH = {"day": date(2026, 3, 20), "matched_at": NOON}


@pytest.fixture
def call(answered: PhoneNumber) -> CallRecord:
    """A call of two minutes that counts for the account."""
    imported([row("c1")])
    return CallRecord.objects.get()


@pytest.fixture
def aside(account: Account, toll_free: PhoneNumber) -> CallRecord:
    """A call to a number that no account's Contact Center held."""
    Account.objects.update(created_at=datetime(2026, 1, 1, tzinfo=UTC))
    imported([row("c1")])
    return CallRecord.objects.get(account=None)


@pytest.mark.parametrize("way", WAYS, ids=named)
@pytest.mark.parametrize(
    "field",
    [
        {"seconds": 1},
        {"call_id": "c2"},
        {"number": "+18005550199"},
        {"caller": "nobody"},
        {"started_at": NOON},
        {"is_toll_free": False},
        {"day": date(2026, 3, 19)},
        {"matched_at": NOON},
        {"account": None, "day": None, "matched_at": None},
    ],
    ids=named,
)
def test_a_call_record_never_changes(call: CallRecord, way: Callable[..., None], field: dict[str, Any]) -> None:
    with refused_by("call_record_is_final"):
        way(call, **field)


@pytest.mark.parametrize("way", WAYS, ids=named)
def test_a_call_is_never_matched_again(
    call: CallRecord, make_account: Callable[..., Account], way: Callable[..., None]
) -> None:
    other = make_account("100002")
    with refused_by("call_record_is_final"):
        way(call, account=other)


@pytest.mark.parametrize("way", WAYS, ids=named)
def test_a_call_kept_aside_is_matched_and_nothing_else_of_it_changes(
    aside: CallRecord, account: Account, way: Callable[..., None]
) -> None:
    match = {"account": account, **MATCH}
    for forged in ({"seconds": 1}, {"number": "+18005550199"}, {"is_toll_free": False}, {"call_id": "c2"}):
        with refused_by("call_record_is_final"):
            way(aside, **match, **forged)
        with refused_by("call_record_is_final"):
            way(aside, **forged)
    for part in match:
        with refused_by("call_is_matched_as_a_whole", "call_record_is_final"):
            way(aside, **{**match, part: None})
    way(aside, **match)
    assert CallRecord.objects.charged().get().account == account


def test_a_call_record_is_never_deleted(call: CallRecord) -> None:
    for attack in (
        call.delete,
        CallRecord.objects.all().delete,
        lambda: CallRecord.objects.all()._raw_delete("default"),
        lambda: sql("DELETE FROM billing_callrecord"),
        lambda: CallRecord.objects.update(call_import=CallImport.objects.create(name="other", layout="own")),
    ):
        with refused_by("call_record_is_final"):
            attack()


@pytest.mark.parametrize("way", [way for way in INSERTS if named(way) not in ("by_raw_insert", "by_copy")], ids=named)
def test_an_id_counts_once(call: CallRecord, way: Callable[[Any], None]) -> None:
    again = CallRecord.objects.get()
    again.pk, again.seconds = None, 7
    with nothing_written(), pytest.raises(IntegrityError, match="call_id"), transaction.atomic():
        way(again)


def test_an_id_counts_once_in_raw_sql_and_is_not_overwritten_by_a_new_row(call: CallRecord) -> None:
    columns = "call_id, number, caller, started_at, is_toll_free, received_in_id"
    insert = f"INSERT INTO billing_callrecord ({columns}, seconds) SELECT {columns}, 7 FROM billing_callrecord"
    with nothing_written(), pytest.raises(IntegrityError, match="call_id"), transaction.atomic():
        sql(insert)
    with refused_by("call_record_is_final"):
        sql(
            f"{insert} ON CONFLICT (call_id, leg) WHERE NOT is_voided AND seconds > 0 "
            "DO UPDATE SET seconds = excluded.seconds"
        )
