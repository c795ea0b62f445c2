"""The database's guards of voids, records set aside and rejected rows: they are kept, and decided once."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import pytest
from django.db import models

from accounts.models import Account, PhoneNumber, User
from billing.actions import dismiss_record, dismiss_reject, void_record
from billing.models import (
    BilledMonth,
    CallImport,
    CallRecord,
    CallRules,
    CallVoid,
    LateMonth,
    RejectedCall,
    SetAsideCall,
)
from tests.billing.call_rows import imported, row
from tests.guarding import UPDATES, by_history_revert, named, refused_by, sql
from tests.remembering import remembered

EXERCISED = {
    "call_record_comes_standing",
    "void_marks_its_record",
    "billing_callvoid_is_final",
    "billing_callvoid_is_kept",
    "set_aside_call_is_decided_once",
    "billing_setasidecall_is_kept",
    "rejected_row_is_decided_once",
    "billing_rejectedcall_is_kept",
    "billing_callrules_is_kept",
}
WAYS = [way for way in UPDATES if way is not by_history_revert]
NOW = datetime(2026, 4, 1, tzinfo=UTC)


@pytest.fixture
@remembered
def came(answered: PhoneNumber, biller: User) -> CallRecord:
    """A voided record, one that is not, two set aside and two rejects; one of each of these pairs was dismissed."""
    rows = [row("c1"), row("c2"), row("c3"), row("c3", seconds=1), row("c4", seconds=-1), row("c5", seconds=-1)]
    imported(rows)
    void_record(CallRecord.objects.get(call_id="c1"), by=biller, reason="Wrong")
    dismiss_record(SetAsideCall.objects.get(seconds=1), by=biller, reason="A copy")
    dismiss_reject(RejectedCall.objects.get(call_id="c5"), by=biller, reason="A test")
    return CallRecord.objects.get(call_id="c2")


@pytest.mark.parametrize("way", WAYS, ids=named)
def test_a_void_is_never_undone_or_changed(came: CallRecord, way: Callable[..., None], make_user: Any) -> None:
    void = CallVoid.objects.get()
    for field in ({"reason": "Other"}, {"at": NOW}, {"by": make_user("x@example.com")}, {"record": came}):
        with refused_by("billing_callvoid_is_final"):
            way(void, **field)
    with refused_by("call_record_is_final"):
        way(void.record, is_voided=False)


@pytest.mark.parametrize("way", WAYS, ids=named)
def test_a_record_is_voided_only_with_a_void(came: CallRecord, way: Callable[..., None]) -> None:
    with refused_by("call_record_is_final"):
        way(came, is_voided=True)
    with refused_by("call_record_is_final"):
        way(came, leg="2")


def test_a_void_marks_its_record_whoever_writes_it(came: CallRecord, biller: User) -> None:
    sql(
        "INSERT INTO billing_callvoid (record_id, by_id, at, reason) VALUES (%s, %s, now(), 'Wrong')",
        came.pk,
        biller.pk,
    )
    came.refresh_from_db()
    assert came.is_voided
    with refused_by("call_void_has_a_reason"):
        CallVoid.objects.create(record=came, by=biller, at=NOW, reason="")


def test_a_void_makes_its_month_late_whoever_writes_it(came: CallRecord, account: Account, biller: User) -> None:
    BilledMonth.objects.create(account=account, month="2026-03-01", billed_at=NOW)
    assert not LateMonth.objects.exists()
    sql(
        "INSERT INTO billing_callvoid (record_id, by_id, at, reason) VALUES (%s, %s, now(), 'Wrong')",
        came.pk,
        biller.pk,
    )
    assert LateMonth.objects.get(account=account, settled_at=None).month == date(2026, 3, 1)


@pytest.mark.parametrize("forged", [{"is_voided": True}, {"seconds": 0}])
def test_a_new_record_stands(came: CallRecord, forged: dict[str, Any]) -> None:
    came.pk, came.call_id = None, "c9"
    for name, value in forged.items():
        setattr(came, name, value)
    with refused_by("call_record_comes_standing"):
        came.save(force_insert=True)


@pytest.mark.parametrize("way", WAYS, ids=named)
@pytest.mark.parametrize("forged", [{"seconds": 5}, {"call_id": "c9"}, {"line": 9}, {"call_import": None}], ids=named)
def test_what_was_set_aside_never_changes(
    came: CallRecord, biller: User, way: Callable[..., None], forged: dict[str, Any]
) -> None:
    if "call_import" in forged:
        forged = {"call_import": CallImport.objects.create(name="other", layout="own")}
    decided = {"state": "dismissed", "decided_by": biller, "decided_at": NOW, "note": "A copy"}
    waits, done = SetAsideCall.objects.get(state="open"), SetAsideCall.objects.get(state="dismissed")
    for fields in (forged, {**decided, **forged}):
        with refused_by("set_aside_call_is_decided_once"):
            way(waits, **fields)
    for fields in ({"state": "open"}, {"note": "Other"}, {"state": "settled"}):
        with refused_by("set_aside_call_is_decided_once", "set_aside_call_is_decided_as_a_whole"):
            way(done, **fields)
    with refused_by("set_aside_call_is_decided_as_a_whole", "set_aside_call_is_decided_with_a_reason"):
        way(waits, state="dismissed")
    way(waits, **decided)


@pytest.mark.parametrize("way", WAYS, ids=named)
@pytest.mark.parametrize("forged", [{"content": "x"}, {"code": "x"}, {"line": 9}, {"call_id": "c9"}], ids=named)
def test_a_rejected_row_never_changes(
    came: CallRecord, biller: User, way: Callable[..., None], forged: dict[str, Any]
) -> None:
    decided = {"state": "dismissed", "decided_by": biller, "decided_at": NOW, "note": "A test"}
    waits, done = RejectedCall.objects.get(state="open"), RejectedCall.objects.get(state="dismissed")
    for fields in (forged, {**decided, **forged}):
        with refused_by("rejected_row_is_decided_once"):
            way(waits, **fields)
    for fields in ({"state": "open"}, {"note": "Other"}):
        with refused_by("rejected_row_is_decided_once", "rejected_row_is_decided_as_a_whole"):
            way(done, **fields)
    with refused_by("rejected_row_is_decided_as_a_whole"):
        way(waits, state="dismissed")
    way(waits, seen_in=came.call_import)
    way(waits, **decided)


@pytest.mark.parametrize(
    ("model", "guard"),
    [
        (SetAsideCall, "set_aside_call_is_decided_once"),
        (RejectedCall, "rejected_row_is_decided_once"),
        (CallVoid, "billing_callvoid_is_final"),
    ],
)
def test_nothing_is_deleted(came: CallRecord, model: type[models.Model], guard: str) -> None:
    for attack in (
        lambda: model._base_manager.all()._raw_delete("default"),
        lambda: sql(f"DELETE FROM {model._meta.db_table}"),
    ):
        with refused_by(guard):
            attack()


@pytest.mark.parametrize("model", [SetAsideCall, RejectedCall, CallVoid, CallRules])
def test_nothing_is_emptied(came: CallRecord, model: type[models.Model]) -> None:
    with refused_by(f"{model._meta.db_table}_is_kept"):
        sql("SET LOCAL guards.truncate = 'refused'")
        sql("SET CONSTRAINTS ALL IMMEDIATE")
        sql(f"TRUNCATE {model._meta.db_table}")


def test_the_fates_of_an_import_add_up(came: CallRecord) -> None:
    with refused_by("fates_add_up_to_the_rows_read"):
        CallImport.objects.update(rows_read=1)
    with refused_by("call_import_added_its_parts"):
        CallImport.objects.update(unmatched=99)
