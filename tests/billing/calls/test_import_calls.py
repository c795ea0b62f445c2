"""`import_calls`: what is taken, what is set aside and why, and that another import changes nothing."""

import gzip
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pytest
from django.core.exceptions import PermissionDenied, ValidationError

from accounts.models import Account, PhoneNumber, User
from billing.calls import batches, reading
from billing.calls.matching import match_calls
from billing.models import BilledMonth, CallImport, CallRecord, LateMonth, RejectedCall
from subscriptions.actions import assign_number, correct_assignment, unassign_number
from tests.billing.call_rows import HEADER, NOON, asterisk_row, counts, file_of, imported, rejects, row, table
from tests.conftest import INSTALLED, codes

NOW = datetime(2026, 4, 20, tzinfo=UTC)


def test_a_call_is_matched_to_the_account_and_its_day(answered: PhoneNumber, account: Account) -> None:
    received = imported([row("c1", at="2026-03-21T03:59:59+00:00", seconds=61)], now=NOW)
    call = CallRecord.objects.get()
    assert (call.account, call.day, call.minutes, call.is_toll_free) == (account, date(2026, 3, 20), 2, True)
    assert (call.matched_at, call.call_import) == (NOW, received)
    assert counts(received) == (1, 0, 0, 0, 0)
    assert (received.layout, received.name) == ("own", "calls.csv")
    assert received.finished_at is not None


@pytest.mark.parametrize(
    "written", ["+1 (800) 555-0100", "800-555-0100", "18005550100", " +18005550100 ", "'+18005550100"]
)
def test_numbers_are_understood_in_any_way_of_writing(answered: PhoneNumber, written: str) -> None:
    assert counts(imported([row("c1", to=written)])) == (1, 0, 0, 0, 0)
    assert CallRecord.objects.get().number == "+18005550100"


@pytest.mark.parametrize("seconds", [1, 13_500_060, 14_000_000])
def test_possible_seconds(answered: PhoneNumber, seconds: int) -> None:
    imported([row("c1", seconds=seconds)], live=False)
    assert CallRecord.objects.get().minutes == -(-seconds // 60)


LONG = "x" * 101
BAD_ROWS = {
    "no_call_id": row(" "),
    "bad_call_id": row(LONG),
    "bad_number": row("c1", to="nobody"),
    "unknown_number": row("c1", to="+18005550199"),
    "bad_time": row("c1", at="yesterday"),
    "no_offset": row("c1", at="2026-03-20T12:00:00"),
    "in_future": row("c1", at="2026-04-20T00:10:01Z"),
    "before_account": row("c1", at="2025-12-31T23:59:59Z"),
    "bad_seconds": row("c1", seconds="60s"),
    "negative_seconds": row("c1", seconds=-1),
    "absurd_seconds": row("c1", seconds=14_000_001),
    "missing_columns": "c1,+18005550100,,2026-03-20T12:00:00-04:00",
    "extra_columns": row("c1") + ",7",
    "bad_csv": '"c1,+18005550100,,2026-03-20T12:00:00-04:00,1',
    "too_long": row("c1", caller="9" * 20_000),
}


@pytest.mark.parametrize("code", BAD_ROWS)
def test_a_bad_row_is_set_aside_and_the_others_go_in(answered: PhoneNumber, code: str) -> None:
    received = imported([row("before"), BAD_ROWS[code], row("after")], now=NOW)
    assert rejects(received) == [(3, code)]
    assert counts(received) == (2, 0, 0, 0, 1)
    assert set(CallRecord.objects.values_list("call_id", flat=True)) == {"before", "after"}
    reject = RejectedCall.objects.get()
    assert reject.reason.endswith(".")
    assert BAD_ROWS[code].startswith(reject.content[:400].rstrip(","))


@pytest.mark.parametrize(
    ("code", "line"),
    [
        ("encoding", row("c1").encode() + b"\xe9"),
        ("nul", row("c\0001").encode()),
        ("bad_call_id", row("c\u200b1").encode()),
    ],
)
def test_a_line_that_is_not_text(answered: PhoneNumber, code: str, line: bytes) -> None:
    received = imported(file_of([row("before")]) + line + b"\r\n" + row("after").encode())
    assert rejects(received) == [(3, code)]
    assert CallRecord.objects.count() == 2


@pytest.mark.parametrize(
    "at",
    [
        "2026-03-20T12:00:00+20:00",
        "2026-03-20T12:00:00+05:00:00.5",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-14:00",
    ],
)
def test_a_time_that_only_python_or_only_postgresql_knows_spoils_no_batch(answered: PhoneNumber, at: str) -> None:
    received = imported([row("c1", at=at), row("c2")])
    assert counts(received) == (1, 0, 0, 0, 1)


def test_byte_order_marks_carriage_returns_and_blank_lines(answered: PhoneNumber) -> None:
    one = b"\xef\xbb\xbf" + file_of([row("c1"), "", row("c2")]).replace(b"\n", b"\r\n")
    joined = one + b"\xef\xbb\xbf" + row("c1").encode()
    received = imported(joined)
    assert (counts(received), received.not_a_call) == ((2, 0, 1, 0, 0), 2)


def test_what_copy_must_escape(answered: PhoneNumber) -> None:
    imported([row("c\\1\\N", caller="\\."), row('"c,2"', caller="tab\there")])
    assert list(CallRecord.objects.order_by("call_id").values_list("call_id", "caller")) == [
        ("c,2", "tabhere"),
        ("c\\1\\N", "\\."),
    ]


def test_columns_are_found_by_name(answered: PhoneNumber) -> None:
    received = imported(f"Seconds, To ,note,call_id,from,started_at\n9,+18005550100,,c1,,{NOON}\n".encode())
    assert counts(received) == (1, 0, 0, 0, 0)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "empty_file"),
        (b"\xff\xfec\0a\0l\0l\0", "unknown_layout"),
        (b"\xff\xfe\0\0c\0\0\0", "not_utf8"),
        (b"\xe9\xe9,to\n", "not_text"),
        (b"hello\nworld\n", "unknown_layout"),
        (b"call_id,to,started_at,seconds\n", "missing_columns"),
        (asterisk_row("1.1").encode(), "no_zone"),
        (b"\x1f\x8b not gzip at all", "broken_file"),
    ],
)
def test_a_file_that_is_none_is_refused_and_nothing_is_written(db: None, content: bytes, code: str) -> None:
    with pytest.raises(ValidationError) as refusal:
        imported(content)
    assert codes(refusal.value) == {("__all__", code)}
    assert not CallImport.objects.exists()


def test_a_zone_that_is_none_is_refused(db: None) -> None:
    with pytest.raises(ValidationError) as refusal:
        imported([row("c1")], zone="Mars/Olympus")
    assert codes(refusal.value) == {("__all__", "unknown_timezone")}


def test_a_file_that_breaks_off_is_refused_as_a_whole(answered: PhoneNumber, monkeypatch: pytest.MonkeyPatch) -> None:
    """The missing part may contradict the rest, so nothing in the file can count (billing-policy.md, 17)."""
    monkeypatch.setattr(batches, "ROWS", 100)
    monkeypatch.setattr(reading, "BLOCK", 4096)
    whole = gzip.compress(file_of(row(f"c{number}", caller=str(number * 7919 % 10**9)) for number in range(2_000)))
    with pytest.raises(ValidationError) as refusal:
        imported(whole[: len(whole) // 2])
    assert codes(refusal.value) == {("__all__", "broken_file")}
    assert not CallImport.objects.exists()
    assert imported(whole).added == CallRecord.objects.count() == 2_000


@pytest.mark.owner
def test_only_staff_who_may_import_do(answered: PhoneNumber, owner: User, supporter: User, biller: User) -> None:
    for user in (owner, supporter):
        with pytest.raises(PermissionDenied):
            imported([row("c1")], by=user)
    User.objects.filter(pk=biller.pk).update(is_active=False)  # in the meantime; the object in memory is now stale
    for take_voided in (False, True):
        with pytest.raises(PermissionDenied):
            imported([row("c1")], by=biller, take_voided=take_voided)
    assert not CallImport.objects.exists()
    User.objects.filter(pk=biller.pk).update(is_active=True)
    assert imported([row("c1")], by=biller).by == biller


def test_again_and_in_another_order_changes_nothing(answered: PhoneNumber) -> None:
    rows = [row(f"c{number}", seconds=number + 1) for number in range(20)]
    imported(rows)
    before = table()
    assert counts(imported(rows)) == (0, 0, 20, 0, 0)
    assert counts(imported(rows[::-1])) == (0, 0, 20, 0, 0)
    same_instant = [row("c1", at="2026-03-20T16:00:00Z", seconds=2)]
    assert counts(imported(same_instant)) == (0, 0, 1, 0, 0)
    assert table() == before


def test_calls_to_a_number_no_one_held_then_wait_for_a_correction(
    answered: PhoneNumber, account: Account, owner: User, member: User, make_user: Callable[..., User]
) -> None:
    unassign_number(account, answered, by=owner, now=datetime(2026, 3, 10, tzinfo=UTC))
    received = imported([row("c1"), row("c2", at="2026-03-06T00:00:00Z")], now=NOW)
    assert counts(received) == (2, 1, 0, 0, 0)
    assert CallRecord.objects.unmatched().get().call_id == "c1"
    assert match_calls() == 0
    root = make_user("root@example.com", is_staff=True, is_superuser=True)
    noon = datetime.fromisoformat(NOON)
    correct_assignment(account, answered, noon, noon + timedelta(seconds=1), by=root, reason="Forgotten", now=NOW)
    BilledMonth.objects.create(account=account, month=date(2026, 3, 1), billed_at=NOW)
    assert match_calls(now=NOW) == 1
    call = CallRecord.objects.get(call_id="c1")
    assert (call.account, call.day, call.matched_at) == (account, date(2026, 3, 20), NOW)
    assert LateMonth.objects.values_list("account", "month").get() == (account.pk, date(2026, 3, 1))
    assert match_calls() == 0


def test_a_number_that_moved_is_matched_to_who_held_it(
    answered: PhoneNumber, account: Account, owner: User, make_account: Callable[..., Account]
) -> None:
    unassign_number(account, answered, by=owner, now=datetime(2026, 4, 1, tzinfo=UTC))
    answered.account = make_account("100002")
    answered.save()
    received = imported([row("c1"), row("c2", at="2026-04-02T00:00:00Z")])
    assert counts(received) == (2, 1, 0, 0, 0)
    assert CallRecord.objects.get(call_id="c1").account == account


def test_calls_of_a_billed_month_make_it_late_once(answered: PhoneNumber, account: Account) -> None:
    BilledMonth.objects.create(account=account, month=date(2026, 3, 1), billed_at=NOW)
    first_of_april = "2026-04-01T04:00:00Z"  # midnight in New York
    imported([row("c1", at=first_of_april)])
    assert not LateMonth.objects.exists()
    imported([row("c2", at="2026-04-01T03:59:59Z"), row("c3")])
    imported([row("c2", at="2026-04-01T03:59:59Z"), row("c4")])
    assert LateMonth.objects.values_list("account", "month").get() == (account.pk, date(2026, 3, 1))


def test_local_calls_and_repeated_ones_make_no_month_late(answered: PhoneNumber, account: Account, owner: User) -> None:
    local = PhoneNumber.objects.create(account=account, number="+12125550100")
    assign_number(account, local, by=owner, now=INSTALLED)
    imported([row("c1")])
    BilledMonth.objects.create(account=account, month=date(2026, 3, 1), billed_at=NOW)
    imported([row("c1"), row("c2", to="+12125550100")])
    assert not LateMonth.objects.exists()
    assert CallRecord.objects.get(call_id="c2").is_toll_free is False


def test_header_alone_is_an_empty_import(db: None) -> None:
    assert counts(imported(HEADER.encode())) == (0, 0, 0, 0, 0)
