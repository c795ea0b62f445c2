"""Every row has one fate, and the fates add up, for an import and for everything stored for a month (R36)."""

from datetime import UTC, date, datetime
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from accounts.models import Account, PhoneNumber, User
from billing.actions import dismiss_record, take_record, void_record
from billing.calls.reconcile import reconciled
from billing.models import CallImport, CallRecord, SetAsideCall
from subscriptions.actions import assign_number
from tests.billing.call_rows import imported, row
from tests.billing.calls.test_record_identity import fates, legs, with_leg
from tests.conftest import INSTALLED
from tests.guarding import sql

MARCH = date(2026, 3, 1)


def told(month: str) -> str:
    out = StringIO()
    call_command("reconcile_calls", "--month", month, stdout=out)
    return out.getvalue()


@pytest.fixture
def month(answered: PhoneNumber, account: Account, owner: User, biller: User) -> CallImport:
    """A file with rows of every fate. One has a voided record's content; of the two set aside, one is taken later."""
    local = PhoneNumber.objects.create(account=account, number="+12125550100")
    assign_number(account, local, by=owner, now=INSTALLED)
    PhoneNumber.objects.create(account=account, number="+18005550107")
    imported([row("c0"), row("c9")])
    void_record(CallRecord.objects.get(call_id="c9"), by=biller, reason="Wrong")
    received = legs([
        with_leg("c0", ""), with_leg("c1", 1), with_leg("c1", 2), with_leg("c2", 1, seconds=0), "",
        with_leg("c3", 1, to="+12125550100"), with_leg("c4", 1, to="+18005550107"), with_leg("c5", 1, seconds=-1),
        with_leg("c6", 1), with_leg("c6", 1, seconds=5), with_leg("c9", ""),
    ])  # fmt: skip
    one, other = SetAsideCall.objects.order_by("line")
    take_record(one, by=biller, reason="Right")
    dismiss_record(other, by=biller, reason="A copy")
    return received


def test_the_fates_of_an_import(month: CallImport) -> None:
    assert fates(month) == {
        "repeated": 1, "added": 4, "zero": 1, "rejected": 1, "set_aside": 2, "voided": 1, "not_a_call": 2,
    }  # fmt: skip
    assert (month.rows_read, month.charged, month.not_toll_free, month.unmatched) == (12, 2, 1, 1)


def test_the_fates_of_a_month(month: CallImport) -> None:
    found = reconciled(MARCH)
    assert {fate: count for fate, (count, _) in found.fates.items() if count} == {
        "charged": 4, "not_toll_free": 1, "unmatched": 1, "voided": 1, "set aside, taken": 1, "set aside, dismissed": 1,
    }  # fmt: skip
    assert found.fates["charged"] == (4, 8)
    assert (found.remainder, found.adds_up) == (0, True)
    assert "remainder" in told("2026-03")
    now = datetime.now(UTC)
    assert reconciled(date(now.year, now.month, 1)).fates["rejected, open"] == (1, 0)


def test_a_call_counts_in_the_month_of_its_accounts_day(answered: PhoneNumber) -> None:
    imported([row("c1", at="2026-04-01T03:59:59Z")])
    assert reconciled(MARCH).fates["charged"] == (1, 2)
    assert reconciled(date(2026, 4, 1)).fates["charged"] == (0, 0)


def test_counts_that_are_not_what_is_stored_are_told(month: CallImport) -> None:
    sql("UPDATE billing_callimport SET added = added + 1, rows_read = rows_read + 1 WHERE id = %s", month.pk)
    with pytest.raises(CommandError, match="don't add up") as failed:
        told("2026-03")
    assert failed.value.returncode == 1
    assert reconciled(MARCH).wrong_imports == [month]
