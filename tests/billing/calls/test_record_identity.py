"""Which imported rows are one record, which count, and which are set aside (billing-policy.md, 17)."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from itertools import permutations
from typing import Any

import pytest

from accounts.models import Account, PhoneNumber
from billing.calls import staging
from billing.models import BilledMonth, CallImport, CallRecord, CallRules, SetAsideCall
from tests.billing.call_rows import COLUMNS, HEADER, asterisk_row, file_of, imported, rejects, row
from tests.guarding import sql

LEGS = f"{HEADER},leg"
LATER = "2026-03-20T12:05:00-04:00"


def with_leg(call_id: str, leg: object, **other: Any) -> str:
    return f"{row(call_id, **other)},{leg}"


def legs(rows: Iterable[str], **options: Any) -> CallImport:
    """Import rows in our layout with a leg."""
    return imported(file_of(rows, header=LEGS), **options)


def stored() -> set[tuple[str, str, int]]:
    return set(CallRecord.objects.in_effect().values_list("call_id", "leg", "seconds"))


def aside() -> set[tuple[str, str, int, str]]:
    return set(SetAsideCall.objects.values_list("call_id", "leg", "seconds", "state"))


def fates(received: CallImport) -> dict[str, int]:
    """Return the counts by fate that are not 0; assert that they add up to the rows read."""
    names = ("added", "zero", "not_answered", "repeated", "rejected", "set_aside", "voided", "not_a_call")
    found = {name: getattr(received, name) for name in names}
    assert received.rows_read == sum(found.values())
    return {name: count for name, count in found.items() if count}


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_every_record_of_a_call_with_talk_time_counts_in_any_order(
    answered: PhoneNumber, order: tuple[int, ...]
) -> None:
    rows = [with_leg("c1", 1, seconds=0), with_leg("c1", 2, seconds=617), with_leg("c1", 3, at=LATER, seconds=59)]
    received = legs([rows[place] for place in order])
    assert fates(received) == {"added": 2, "zero": 1, "not_a_call": 1}
    assert stored() == {("c1", "2", 617), ("c1", "3", 59)}


@pytest.mark.parametrize("order", list(permutations(range(2))))
def test_a_record_of_0_seconds_claims_no_identity(answered: PhoneNumber, order: tuple[int, ...]) -> None:
    rows = [row("c1", seconds=0), row("c1", seconds=300)]
    assert fates(imported([rows[place] for place in order])) == {"added": 1, "zero": 1, "not_a_call": 1}
    assert stored() == {("c1", "", 300)}
    assert fates(imported([row("c1", seconds=0)])) == {"zero": 1, "not_a_call": 1}


def test_the_same_content_is_one_record_whoever_called(answered: PhoneNumber) -> None:
    assert fates(imported([row("c1"), row("c1", caller="1")])) == {"added": 1, "repeated": 1, "not_a_call": 1}
    assert fates(imported([row("c1", caller="2")])) == {"repeated": 1, "not_a_call": 1}
    assert not SetAsideCall.objects.exists()


OTHER = [{"to": "+18005550101"}, {"at": LATER}, {"seconds": 62}]


@pytest.mark.parametrize("other", OTHER)
def test_of_a_conflict_in_one_file_neither_counts(
    answered: PhoneNumber, account: Account, other: dict[str, Any]
) -> None:
    PhoneNumber.objects.create(account=account, number="+18005550101")
    received = imported([row("c1"), row("c1", **other), row("c1"), row("c2")])
    assert fates(received) == {"added": 1, "set_aside": 2, "repeated": 1, "not_a_call": 1}
    assert stored() == {("c2", "", 61)}
    assert {reason for (reason,) in SetAsideCall.objects.values_list("reason")} == {"in_file"}
    assert fates(imported([row("c1"), row("c1", **other)])) == {"repeated": 2, "not_a_call": 1}
    assert SetAsideCall.objects.count() == 2


@pytest.mark.parametrize("other", OTHER)
def test_what_was_stored_before_the_file_stays(answered: PhoneNumber, account: Account, other: dict[str, Any]) -> None:
    PhoneNumber.objects.create(account=account, number="+18005550101")
    imported([row("c1")])
    received = imported([row("c1"), row("c1", **other)])
    assert fates(received) == {"repeated": 1, "set_aside": 1, "not_a_call": 1}
    assert stored() == {("c1", "", 61)}
    assert SetAsideCall.objects.get().reason == "stored"


def test_a_later_file_in_which_the_identity_stands_once_is_taken_and_settles_the_same(answered: PhoneNumber) -> None:
    imported([row("c1"), row("c1", seconds=62)])
    received = imported([row("c1", seconds=62)])
    assert fates(received) == {"added": 1, "not_a_call": 1}
    assert stored() == {("c1", "", 62)}
    assert aside() == {("c1", "", 61, "open"), ("c1", "", 62, "settled")}
    assert SetAsideCall.objects.get(state="settled").settled_in == received


def test_between_a_record_with_a_leg_and_one_without_the_start_stands_in(answered: PhoneNumber) -> None:
    imported([row("c1"), row("c2"), row("c3")])
    received = legs([with_leg("c1", 7), with_leg("c2", 7, seconds=5), with_leg("c3", 7, at=LATER)])
    assert fates(received) == {"repeated": 1, "set_aside": 1, "added": 1, "not_a_call": 1}
    assert stored() == {("c1", "", 61), ("c2", "", 61), ("c3", "", 61), ("c3", "7", 61)}


def test_in_one_file_too_and_with_both_legs(answered: PhoneNumber) -> None:
    rows = [with_leg("c1", ""), with_leg("c1", 1), with_leg("c1", 2), with_leg("c2", "", seconds=9), with_leg("c2", 1)]
    received = legs(rows)
    assert fates(received) == {"added": 2, "repeated": 1, "set_aside": 2, "not_a_call": 1}
    assert stored() == {("c1", "1", 61), ("c1", "2", 61)}


def test_records_of_asterisk_are_known_by_their_id_and_start(answered: PhoneNumber) -> None:
    one, other = asterisk_row("1.1"), asterisk_row("1.1", start="2026-03-20 12:00:30", billsec=30)
    received = imported(file_of([one, other, one], header=None), zone="America/New_York")
    assert fates(received) == {"added": 2, "repeated": 1}
    assert stored() == {("1.1", "2026-03-20T16:00:00Z", 61), ("1.1", "2026-03-20T16:00:30Z", 30)}
    header = ",".join([*COLUMNS["asterisk"], "sequence"])
    grown = file_of([f"{one},5", f"{other},6", f"{asterisk_row('1.1', billsec=5)},7"], header=header)
    assert fates(imported(grown, zone="America/New_York")) == {"repeated": 2, "set_aside": 1, "not_a_call": 1}


@pytest.mark.parametrize("rows_a_part", [1, 3, 100_000])
def test_parts_change_nothing(answered: PhoneNumber, monkeypatch: pytest.MonkeyPatch, rows_a_part: int) -> None:
    monkeypatch.setattr(staging, "ROWS", rows_a_part)
    rows = [row(f"c{number % 700}", seconds=1 + number // 1_400) for number in range(2_100)]
    assert fates(imported(rows)) == {"repeated": 700, "set_aside": 1_400, "not_a_call": 1}
    rows = [row(f"d{number % 1_400}") for number in range(2_100)]
    assert fates(imported(rows)) == {"added": 1_400, "repeated": 700, "not_a_call": 1}


@pytest.fixture
def upgraded(answered: PhoneNumber, account: Account) -> Callable[[], None]:
    """A function that makes everything stored so far date from before the upgrade, with March billed."""

    def upgrade() -> None:
        now = datetime(2026, 4, 3, tzinfo=UTC)
        BilledMonth.objects.create(account=account, month="2026-03-01", billed_at=datetime(2026, 4, 2, tzinfo=UTC))
        CallRules.objects.get_or_create(pk=1)
        sql("ALTER TABLE billing_callrules DISABLE TRIGGER USER")
        CallRules.objects.update(upgraded_at=now, last_import_before=CallImport.objects.latest("pk").pk)
        sql("ALTER TABLE billing_callrules ENABLE TRIGGER USER")

    return upgrade


@pytest.mark.owner
def test_a_call_stored_before_the_upgrade_gets_no_further_record_for_a_month_invoiced_then(
    answered: PhoneNumber, upgraded: Callable[[], None]
) -> None:
    imported([row("c1"), row("c2", at="2026-04-01T12:00:00Z")])
    upgraded()
    april = "2026-04-01T12:10:00Z"
    received = legs([with_leg("c1", 2, at=LATER), with_leg("c2", 2, at=april), with_leg("c3", 1), with_leg("c3", 2)])
    assert rejects(received) == [(2, "before_upgrade")]
    assert fates(received) == {"added": 3, "rejected": 1, "not_a_call": 1}
    assert fates(imported([row("c1")])) == {"repeated": 1, "not_a_call": 1}
