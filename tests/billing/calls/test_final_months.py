"""Final months (policy 11): actions and guards let nothing about them change, unless history is being written."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange

from accounts.models import Account, NumberAssignment, PhoneNumber, Refusal, User
from billing.actions import take_record, void_record
from billing.calls.finality import first_open_day
from billing.calls.matching import match_calls
from billing.models import CallImport, CallRecord, CallRules, CallVoid, SetAsideCall
from core.past import writing_history
from subscriptions.actions import correct_assignment, install, unassign_number
from subscriptions.models import Holding, Price
from tests.billing.call_rows import imported, rejects, row
from tests.conftest import codes
from tests.guarding import nothing_written, refused_by, sql

EXERCISED = {
    "call_record_of_a_final_month",
    "match_of_a_final_month",
    "void_of_a_final_month",
    "assignment_of_a_final_month",
    "price_of_a_final_month",
    "call_rules_only_tighten",
}
LONG_AGO = "2024-03-20T12:00:00-04:00"


@pytest.fixture
def old(account: Account, owner: User, catalogue: None, toll_free: PhoneNumber) -> PhoneNumber:
    """A number that has been held since February 2024, except for a day in March."""
    Account.objects.filter(pk=account.pk).update(created_at=datetime(2024, 1, 1, tzinfo=UTC))
    CallRules.objects.get_or_create(pk=1)
    with writing_history():
        Price.objects.bulk_create(
            Price(item=item.item, effective_from=date(2024, 1, 1), monthly_price=item.monthly_price,
                  per_minute=item.per_minute)
            for item in Price.objects.filter(effective_from=date(2026, 1, 1))
        )  # fmt: skip
        install(account, edition="cc-pro", by=owner, now=datetime(2024, 2, 1, tzinfo=UTC))
        for first, end in ((datetime(2024, 2, 1, tzinfo=UTC), datetime(2024, 3, 25, tzinfo=UTC)),
                           (datetime(2024, 3, 26, tzinfo=UTC), None)):  # fmt: skip
            NumberAssignment.objects.create(
                account=account, number=toll_free, period=DateTimeTZRange(first, end), assigned_by=owner,
                ended_by=owner if end else None,
            )  # fmt: skip
    return toll_free


def as_history(rows: list[str]) -> CallImport:
    return imported(rows, within=writing_history)


def test_which_months_are_final(old: PhoneNumber) -> None:
    now = sql("SELECT (clock_timestamp() AT TIME ZONE 'UTC') - interval '12 hours'")[0][0]
    month = now.year * 12 + now.month - 1 - 18
    assert first_open_day() == date(month // 12, month % 12 + 1, 1)
    CallRules.objects.update(final_after=30)
    month -= 12
    assert first_open_day() == date(month // 12, month % 12 + 1, 1)


def test_a_new_record_is_rejected_and_one_that_is_stored_is_known(old: PhoneNumber) -> None:
    as_history([row("c1", at=LONG_AGO)])
    received = imported([row("c1", at=LONG_AGO), row("c2", at=LONG_AGO), row("c3")])
    assert rejects(received) == [(3, "final_month")]
    assert (received.repeated, received.added) == (1, 1)


def test_a_void_a_take_and_a_match_are_refused(old: PhoneNumber, biller: User) -> None:
    as_history([row("c1", at=LONG_AGO), row("c3", at="2024-03-25T12:00:00Z")])
    as_history([row("c1", at=LONG_AGO, seconds=5), row("c2", at=LONG_AGO), row("c2", at=LONG_AGO, seconds=5)])
    kept = {each.seconds: each for each in SetAsideCall.objects.filter(call_id="c2")}
    verbs: list[Callable[[], Any]] = [
        lambda: void_record(CallRecord.objects.get(call_id="c1"), by=biller, reason="Wrong"),
        lambda: take_record(kept[5], by=biller, reason="Right"),
        lambda: take_record(SetAsideCall.objects.get(call_id="c1"), by=biller, reason="Right"),
    ]
    for verb in verbs:
        with nothing_written(but=(Refusal,)), pytest.raises(ValidationError) as refusal:
            verb()
        assert codes(refusal.value) == {("__all__", "final_month")}
    with writing_history():
        NumberAssignment.objects.create(
            account=old.account, number=old, assigned_by=biller, ended_by=biller,
            period=DateTimeTZRange(datetime(2024, 3, 25, tzinfo=UTC), datetime(2024, 3, 26, tzinfo=UTC)),
        )  # fmt: skip
    with nothing_written():
        assert match_calls() == 0
    with writing_history():
        verbs[0]()
    assert CallVoid.objects.count() == 1


def test_a_corrected_assignment_is_refused(old: PhoneNumber, make_user: Callable[..., User]) -> None:
    root = make_user("root@example.com", is_staff=True, is_superuser=True)
    start = datetime(2024, 3, 25, 1, tzinfo=UTC)
    with nothing_written(but=(Refusal,)), pytest.raises(ValidationError) as refusal:
        correct_assignment(old.account, old, start, start + timedelta(hours=1), by=root, reason="Forgotten")
    assert codes(refusal.value) == {("__all__", "assignment_of_a_final_month")}
    unassign_number(old.account, old, by=root)


def test_the_guards_refuse_past_python(old: PhoneNumber, owner: User, biller: User) -> None:
    as_history([row("c1", at=LONG_AGO), row("c3", at="2024-03-25T12:00:00Z")])
    call = CallRecord.objects.get(call_id="c1")
    columns = "leg, number, caller, started_at, seconds, is_toll_free, received_in_id, account_id, day, matched_at"
    again = (
        f"INSERT INTO billing_callrecord (call_id, {columns}) SELECT 'c9', {columns} FROM billing_callrecord LIMIT 1"
    )
    with refused_by("call_record_of_a_final_month"):
        sql(again)
    with refused_by("void_of_a_final_month"):
        CallVoid.objects.create(record=call, by=biller, at=datetime.now(UTC), reason="Wrong")
    with refused_by("match_of_a_final_month"):
        CallRecord.objects.filter(call_id="c3").update(
            account=old.account, day=date(2024, 3, 25), matched_at=datetime.now(UTC)
        )
    with refused_by("assignment_of_a_final_month"):
        NumberAssignment.objects.create(
            account=old.account, number=old, assigned_by=owner,
            period=DateTimeTZRange(datetime(2024, 3, 25, tzinfo=UTC), datetime(2024, 3, 26, tzinfo=UTC)),
        )  # fmt: skip
    with refused_by("assignment_of_a_final_month"):
        latest = NumberAssignment.objects.latest("pk")
        period = DateTimeTZRange(latest.period.lower, datetime(2024, 4, 1, tzinfo=UTC))
        NumberAssignment.objects.filter(pk=latest.pk).update(period=period, ended_by=owner)
    held = Holding.objects.filter(superseded_by=None).values("item")
    price = Price.objects.filter(item__in=held).first()
    assert price is not None
    with refused_by("price_of_a_final_month"):
        Price.objects.bulk_create(
            [Price(item=price.item, effective_from=date(2024, 3, 1), monthly_price=Decimal(1), per_minute=None)]
        )


def test_the_number_of_months_is_kept(old: PhoneNumber) -> None:
    CallRules.objects.update(final_after=24)
    CallRules.objects.update(final_after=12)
    CallRules.objects.update(detached_before=date(2024, 1, 1))
    attacks: list[Callable[[], Any]] = [
        lambda: CallRules.objects.update(final_after=13),
        lambda: CallRules.objects.update(detached_before=None),
        lambda: CallRules.objects.update(detached_before=date(2023, 1, 1)),
        lambda: CallRules.objects.update(last_import_before=5),
        lambda: CallRules.objects.all().delete(),
    ]
    for attack in attacks:
        with refused_by("call_rules_only_tighten"):
            attack()
    with refused_by("one_row_of_call_rules"):
        CallRules.objects.create(pk=2)
    CallRules.objects.update(final_after=6)
