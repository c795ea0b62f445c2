"""Voiding records and imports, taking and dismissing what was set aside, dismissing rejects (policies 16 and 17)."""

import csv
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from io import StringIO

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.management import CommandError, call_command

from accounts.models import Account, PhoneNumber, Refusal, User
from billing.actions import (
    dismiss_record,
    dismiss_reject,
    issue_credit_note,
    run_bills,
    take_record,
    void_import,
    void_record,
)
from billing.calls import staging
from billing.calls.layouts import COLUMNS
from billing.calls.matching import match_calls
from billing.calls.outcome import known_text
from billing.models import CallRecord, CallVoid, Invoice, LateMonth, RejectedCall, SetAsideCall
from core.refusals import AlreadyDone
from tests.billing.call_rows import asterisk_row, file_of, imported, rejects, row
from tests.billing.calls.test_record_identity import aside, fates, legs, stored, with_leg
from tests.conftest import codes
from tests.guarding import nothing_written

MARCH = date(2026, 3, 1)
APRIL_2 = datetime(2026, 4, 2, 12, tzinfo=UTC)
MAY_2 = datetime(2026, 5, 2, 12, tzinfo=UTC)
JUNE_2 = datetime(2026, 6, 2, 12, tzinfo=UTC)


@pytest.fixture
def billed(answered: PhoneNumber, account: Account) -> Invoice:
    """March was invoiced with a call of 90 minutes and one of 2."""
    imported([row("c1", seconds=5_400), row("c2")])
    run_bills(MARCH, now=APRIL_2)
    return Invoice.objects.get()


def record(call_id: str) -> CallRecord:
    return CallRecord.objects.in_effect().get(call_id=call_id)


def test_a_voided_record_counts_as_if_never_made(answered: PhoneNumber, account: Account, biller: User) -> None:
    imported([row("c1", seconds=5_400), row("c2")])
    voided = void_record(record("c1"), by=biller, reason="Minutes sent as seconds")
    assert (voided.records, voided.charged, voided.minutes) == (1, 1, 90)
    void = CallVoid.objects.get()
    assert (void.record.call_id, void.by, void.reason) == ("c1", biller, "Minutes sent as seconds")
    assert not LateMonth.objects.exists()
    run_bills(MARCH, now=APRIL_2)
    assert Invoice.objects.get().total == Decimal("0.09")
    with pytest.raises(AlreadyDone):
        void_record(void.record, by=biller, reason="Again")


def test_the_void_of_a_billed_month_is_an_adjustment_of_the_next_invoice(billed: Invoice, biller: User) -> None:
    assert billed.total == Decimal("4.14")
    void_record(record("c1"), by=biller, reason="Wrong")
    assert LateMonth.objects.get().month == MARCH
    run_bills(date(2026, 4, 1), now=MAY_2, hold_unusual=False)
    assert Invoice.objects.latest("pk").total == Decimal("-4.05")
    run_bills(date(2026, 5, 1), now=JUNE_2)
    assert Invoice.objects.count() == 2


def test_the_identity_is_free_for_other_content_and_the_same_is_not_taken(billed: Invoice, biller: User) -> None:
    void_record(record("c1"), by=biller, reason="Wrong")
    assert fates(imported([row("c1", seconds=5_400)])) == {"voided": 1, "not_a_call": 1}
    # The file grew: it still has the wrong row, followed by the right one.
    assert fates(imported([row("c1", seconds=5_400), row("c1", seconds=90)])) == {
        "added": 1,
        "voided": 1,
        "not_a_call": 1,
    }
    assert stored() == {("c1", "", 90), ("c2", "", 61)}
    again = fates(imported([row("c1", seconds=5_400), row("c1", seconds=90)]))
    assert again == {"repeated": 1, "voided": 1, "not_a_call": 1}
    assert not aside()


def test_take_voided_takes_it_again_with_permission(answered: PhoneNumber, biller: User, member: User) -> None:
    imported([row("c1")])
    void_record(record("c1"), by=biller, reason="Wrong")
    with nothing_written(but=(Refusal,)), pytest.raises(PermissionDenied):
        imported([row("c1")], by=member, take_voided=True)
    assert fates(imported([row("c1")], by=biller, take_voided=True)) == {"added": 1, "not_a_call": 1}
    void_record(record("c1"), by=biller, reason="Wrong again")
    assert CallVoid.objects.count() == 2


def test_a_whole_import_is_voided_and_the_corrected_file_comes_in(answered: PhoneNumber, biller: User) -> None:
    wrong = imported([row(f"c{number}", seconds=60 * (number + 1)) for number in range(5)])
    imported([row("other")])
    assert void_import(wrong, by=biller, reason="Minutes as seconds").records == 5
    assert stored() == {("other", "", 61)}
    assert void_import(wrong, by=biller, reason="Once more").records == 0
    right = imported([row(f"c{number}", seconds=number + 1) for number in range(5)])
    assert fates(right) == {"added": 5, "not_a_call": 1}


def test_who_may_and_with_what_reason(answered: PhoneNumber, biller: User, member: User, supporter: User) -> None:
    imported([row("c1"), row("c3"), row("c3", seconds=1), row("c4", seconds=-1)])
    kept, reject = SetAsideCall.objects.first(), RejectedCall.objects.get()
    assert kept is not None
    verbs: list[Callable[..., object]] = [
        lambda **how: void_record(record("c1"), **how),
        lambda **how: void_import(record("c1").call_import, **how),
        lambda **how: take_record(kept, **how),
        lambda **how: dismiss_record(kept, **how),
        lambda **how: dismiss_reject(reject, **how),
    ]
    for verb in verbs:
        for user in (member, supporter):
            with nothing_written(but=(Refusal,)), pytest.raises(PermissionDenied):
                verb(by=user, reason="Mine")
        with nothing_written(but=(Refusal,)), pytest.raises(ValidationError) as refusal:
            verb(by=biller, reason=" ")
        assert codes(refusal.value) == {("reason", "reason_missing")}
    assert Refusal.objects.filter(rule="reason_missing").count() == len(verbs)


def test_a_void_beside_a_credit_note_asks_once_more(billed: Invoice, account: Account, biller: User) -> None:
    issue_credit_note(account, billed, amount=Decimal("4.05"), reason="The long call", by=biller)
    with nothing_written(but=(Refusal,)), pytest.raises(ValidationError) as refusal:
        void_record(record("c1"), by=biller, reason="Wrong")
    assert codes(refusal.value) == {("__all__", "credited")}
    assert "CN-000001 ($4.05 on INV-000001), $4.05 in total" in refusal.value.messages[0]
    with nothing_written(but=(Refusal,)), pytest.raises(ValidationError):
        void_import(record("c1").call_import, by=biller, reason="Wrong")
    assert void_record(record("c1"), by=biller, reason="Wrong", confirm_credited=True).records == 1


def test_a_credit_note_beside_a_difference_asks_once_more(billed: Invoice, account: Account, biller: User) -> None:
    void_record(record("c1"), by=biller, reason="Wrong")
    with nothing_written(but=(Refusal,)), pytest.raises(ValidationError) as refusal:
        issue_credit_note(account, billed, amount=Decimal("1.00"), reason="Sorry", by=biller)
    assert codes(refusal.value) == {("__all__", "difference")}
    assert "4.05 for March 2026" in refusal.value.messages[0]
    issue_credit_note(account, billed, amount=Decimal("1.00"), reason="Sorry", by=biller, confirm_difference=True)
    run_bills(date(2026, 4, 1), now=MAY_2, hold_unusual=False)
    issue_credit_note(account, billed, amount=Decimal("1.00"), reason="Sorry", by=biller)


def test_a_record_set_aside_is_taken_in_place_of_the_one_stored(billed: Invoice, biller: User) -> None:
    imported([row("c1", seconds=90)])
    kept = SetAsideCall.objects.get()
    taken = take_record(kept, by=biller, reason="The switch was right the second time")
    assert stored() == {("c1", "", 90), ("c2", "", 61)}
    assert (taken.account, taken.day, taken.call_import) == (billed.account, date(2026, 3, 20), kept.call_import)
    assert CallVoid.objects.get().record.seconds == 5_400
    assert LateMonth.objects.get().month == MARCH
    kept.refresh_from_db()
    assert (kept.state, kept.record, kept.decided_by) == ("taken", taken, biller)
    with nothing_written(), pytest.raises(AlreadyDone):
        take_record(kept, by=biller, reason="Again")
    assert fates(imported([row("c1", seconds=90), row("c1", seconds=5_400)])) == {
        "repeated": 1,
        "voided": 1,
        "not_a_call": 1,
    }


def test_one_of_two_in_one_file_is_taken_and_the_other_dismissed_for_good(answered: PhoneNumber, biller: User) -> None:
    rows = [row("c1"), row("c1", seconds=62)]
    imported(rows)
    one, other = SetAsideCall.objects.order_by("line")
    dismiss_record(other, by=biller, reason="A copy")
    assert fates(imported(rows)) == {"repeated": 2, "not_a_call": 1}
    assert fates(imported([row("c1", seconds=62)])) == {"repeated": 1, "not_a_call": 1}
    take_record(one, by=biller, reason="Right")
    assert fates(imported(rows)) == {"repeated": 2, "not_a_call": 1}
    assert aside() == {("c1", "", 61, "taken"), ("c1", "", 62, "dismissed")}
    assert stored() == {("c1", "", 61)}


def test_what_is_stored_by_now_is_not_taken_again(answered: PhoneNumber, biller: User) -> None:
    imported([row("c1"), row("c1", seconds=62)])
    one, other = SetAsideCall.objects.order_by("line")
    take_record(one, by=biller, reason="Right")
    void_record(record("c1"), by=biller, reason="Wrong")
    imported([row("c1", seconds=62)])
    with nothing_written(), pytest.raises(AlreadyDone):
        take_record(other, by=biller, reason="Right")


def test_a_reject_is_settled_by_a_later_import_and_does_not_double(answered: PhoneNumber, biller: User) -> None:
    rows = [row("c1", seconds="x"), row("c2", to="+18005550199"), row("c3")]
    received = imported(rows)
    assert rejects(received) == [(2, "bad_seconds"), (3, "unknown_number")]
    again = imported(rows)
    assert fates(again) == {"rejected": 2, "repeated": 1, "not_a_call": 1}
    assert RejectedCall.objects.count() == RejectedCall.objects.open().count() == 2
    assert set(RejectedCall.objects.values_list("seen_in", flat=True)) == {again.pk}
    dismiss_reject(RejectedCall.objects.get(call_id="c2"), by=biller, reason="Not ours")
    corrected = imported([row("c1", seconds=60)])
    assert RejectedCall.objects.get(call_id="c1").settled_in == corrected
    assert not RejectedCall.objects.open().exists()
    assert fates(imported(rows)) == {"repeated": 3, "not_a_call": 1}
    assert RejectedCall.objects.count() == 2


def test_a_row_rejected_for_another_reason_by_now_waits_for_that(answered: PhoneNumber, account: Account) -> None:
    old = row("c1", to="+18005550199", at="2025-12-01T12:00:00Z")
    imported([old])
    PhoneNumber.objects.create(account=account, number="+18005550199")
    received = imported([old])
    assert rejects(received) == [(2, "before_account")]
    assert RejectedCall.objects.open().count() == 1


def test_a_voided_call_is_not_matched(account: Account, toll_free: PhoneNumber, biller: User, owner: User) -> None:
    Account.objects.update(created_at=datetime(2026, 1, 1, tzinfo=UTC))
    imported([row("c1")])
    void_record(record("c1"), by=biller, reason="Wrong")
    assert not CallRecord.objects.unmatched().exists()
    assert match_calls() == 0


def told(*arguments: object) -> str:
    out = StringIO()
    call_command("void_calls", *map(str, arguments), stdout=out)
    return out.getvalue()


def test_the_command(billed: Invoice, account: Account, biller: User) -> None:
    how = ("--by", biller.email, "--reason", "Wrong")
    with nothing_written():
        assert told("--call", "c1", *how, "--dry-run").startswith("1 record would be voided: 1 charged call with 90")
    issue_credit_note(account, billed, amount=Decimal("4.05"), reason="The long call", by=biller)
    with pytest.raises(CommandError, match=r"CN-000001.*--confirm-credited"):
        told("--call", "c1", *how)
    assert told("--call", "c1", *how, "--confirm-credited").startswith("1 record voided")
    assert told("--import", record("c2").call_import_id, *how, "--confirm-credited").startswith("1 record voided")
    for wrong in (("--call", "c1"), ("--import", 999_999)):
        with pytest.raises(CommandError):
            told(*wrong, *how)


def test_the_command_names_the_legs_that_stand(answered: PhoneNumber, biller: User) -> None:
    legs([with_leg("c1", "b"), with_leg("c1", "a")])
    with pytest.raises(CommandError, match="have --leg a, b"):
        told("--call", "c1", "--by", biller.email, "--reason", "Wrong")
    assert told("--call", "c1", "--leg", "a", "--by", biller.email, "--reason", "Wrong").startswith("1 record voided")


def test_two_at_once_void_a_record_once(answered: PhoneNumber, biller: User, monkeypatch: pytest.MonkeyPatch) -> None:
    imported([row("c1")])
    kept = record("c1")
    void_record(kept, by=biller, reason="Wrong")
    monkeypatch.setattr(type(CallRecord.objects.all()), "voided", lambda self: self.none())  # as the second one sees it
    with nothing_written(), pytest.raises(AlreadyDone):
        void_record(kept, by=biller, reason="Wrong")


def test_a_file_whose_records_wait_is_not_said_to_be_there(answered: PhoneNumber, biller: User) -> None:
    rows = [row("c1"), row("c1", seconds=90)]
    imported(rows)
    assert known_text(imported(rows)) == "all of its calls are there already, or wait among the records set aside"
    for kept in SetAsideCall.objects.all():
        dismiss_record(kept, by=biller, reason="Wrong")
    assert known_text(imported(rows)) == "all of its calls are there already"


def test_a_dismissed_reject_stays_out_when_it_could_be_taken(
    answered: PhoneNumber, account: Account, biller: User
) -> None:
    rows = [row("c1", to="+18005550199"), row("c2")]
    imported(rows)
    dismiss_reject(RejectedCall.objects.get(), by=biller, reason="Not ours")
    PhoneNumber.objects.create(account=account, number="+18005550199")
    assert fates(imported([*rows, row("c3")])) == {"added": 1, "repeated": 2, "not_a_call": 1}
    assert stored() == {("c2", "", 61), ("c3", "", 61)}
    other = row("c1", to="+18005550199", seconds=62)
    assert fates(imported([other])) == {"added": 1, "not_a_call": 1}


def test_a_dismissed_reject_is_taken_when_the_import_says_so(
    answered: PhoneNumber, account: Account, biller: User
) -> None:
    rows = [row("c1", to="+18005550199")]
    imported(rows)
    dismiss_reject(RejectedCall.objects.get(), by=biller, reason="Not ours")
    PhoneNumber.objects.create(account=account, number="+18005550199")
    assert fates(imported(rows, by=None, take_voided=True)) == {"added": 1, "not_a_call": 1}


@pytest.mark.parametrize("rows_a_part", [1, 100_000])
def test_another_record_of_its_call_settles_no_reject(
    answered: PhoneNumber, monkeypatch: pytest.MonkeyPatch, rows_a_part: int
) -> None:
    monkeypatch.setattr(staging, "ROWS", rows_a_part)
    # Enough rows to fill several pages: if a part has one row, it is one page.
    wrong = asterisk_row("1774022400.1", start="2026-03-20 12:02:00", dst="18005550199")
    right = [
        asterisk_row("1774022400.1", lastdata="x" * 50),
        *(asterisk_row(f"{2_000_000_000 + n}.1") for n in range(300)),
    ]
    imported(file_of([wrong], header=None), zone="America/New_York")
    for added in (301, 0):
        received = imported(file_of([*right, wrong], header=None), zone="America/New_York")
        assert (received.added, received.rejected) == (added, 1)
        assert RejectedCall.objects.open().count() == 1


def test_a_reject_of_asterisk_is_kept_as_before_the_upgrade(answered: PhoneNumber) -> None:
    """A reject without a sequence gets no cell for one: otherwise, it would be open twice once its file comes again."""
    imported(file_of([asterisk_row("1774022400.1", dst="18005550199")], header=None), zone="America/New_York")
    assert len(next(csv.reader([RejectedCall.objects.get().content]))) == len(COLUMNS["asterisk"])
