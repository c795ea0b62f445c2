"""A database from before records had legs is upgraded, and what was charged is not charged again (policy 17)."""

from collections.abc import Iterator
from datetime import UTC, date, datetime

import pytest
from django.core.management import call_command

from accounts.models import Account, PhoneNumber
from billing.models import CallImport, CallRecord, CallRules, RejectedCall
from core.guards import check_guards
from tests.billing.call_rows import COLUMNS, asterisk_row, file_of, imported, rejects, row
from tests.billing.calls.test_record_identity import fates
from tests.guarding import sql

pytestmark = pytest.mark.django_db(transaction=True)
BEFORE = "0004_guards_join_by_hash"
ZONE = "America/New_York"
OLD_CALL = """
    INSERT INTO billing_callrecord
        (call_id, number, caller, started_at, seconds, is_toll_free, received_in_id, account_id, day, matched_at)
    VALUES (%s, '+18005550100', '+12125550111', %s, %s, true, %s, %s, %s, now())
"""


@pytest.fixture
def upgraded(answered: PhoneNumber, account: Account) -> Iterator[None]:
    """Old imports: Asterisk's, with a row of 0 seconds, and two in our layout with the same rejects."""
    call_command("migrate", "billing", BEFORE, verbosity=0)
    try:
        noon = datetime(2026, 3, 20, 16, tzinfo=UTC)
        for key, layout, added, rejected in ((1, "asterisk", 2, 0), (2, "own", 1, 2), (3, "own", 1, 2)):
            sql(
                "INSERT INTO billing_callimport (id, name, layout, added, unmatched, repeated, skipped, rejected) "
                "VALUES (%s, 'old.csv', %s, %s, 0, 3, 4, %s)", key, layout, added, rejected,
            )  # fmt: skip
        for call, seconds, import_ in (("1.1", 61, 1), ("1.2", 0, 1), ("o1", 61, 2), ("o2", 61, 3)):
            sql(OLD_CALL, call, noon, seconds, import_, account.pk, date(2026, 3, 20))
        for import_ in (2, 3):
            for line, content in ((2, "o2,+18005550100,,yesterday,61"), (3, '"o,3",+18005550100,,yesterday,61')):
                sql(
                    "INSERT INTO billing_rejectedcall (received_in_id, line, code, reason, content) "
                    "VALUES (%s, %s, 'bad_time', 'No time.', %s)", import_, line, content,
                )  # fmt: skip
        sql("SELECT setval(pg_get_serial_sequence('billing_callimport', 'id'), 3)")
        sql(
            "INSERT INTO billing_billedmonth (account_id, month, billed_at) VALUES (%s, '2026-03-01', now())",
            account.pk,
        )
    finally:
        call_command("migrate", "billing", verbosity=0)
    yield
    sql("ALTER TABLE billing_callrules DISABLE TRIGGER USER")
    sql("UPDATE billing_callrules SET upgraded_at = NULL, last_import_before = NULL")
    sql("ALTER TABLE billing_callrules ENABLE TRIGGER USER")


def test_a_database_with_data_is_upgraded_and_nothing_is_charged_twice(upgraded: None) -> None:
    """One test, because migrating there and back takes long."""
    the_data_is_upgraded()
    asterisk_files_come_again_and_grown_and_charge_nothing_twice()
    our_own_files_too()


def the_data_is_upgraded() -> None:
    assert check_guards(databases=["default"]) == []
    legs = dict(CallRecord.objects.values_list("call_id", "leg"))
    start = "2026-03-20T16:00:00Z"
    assert legs == {"1.1": start, "1.2": start, "o1": "", "o2": ""}
    assert CallRecord.objects.zero().get().call_id == "1.2"
    rules = CallRules.objects.get()
    assert (rules.final_after, rules.last_import_before, rules.upgraded_at is not None) == (18, 3, True)
    assert set(CallImport.objects.values_list("rows_read", "not_answered")) == {(9, 4), (10, 4)}
    waiting = RejectedCall.objects.open()
    assert [(reject.call_import_id, reject.call_id) for reject in waiting] == [(3, "o2"), (3, "o,3")]


def asterisk_files_come_again_and_grown_and_charge_nothing_twice() -> None:
    same = [asterisk_row("1.1"), asterisk_row("1.2", billsec=0)]
    assert fates(imported(file_of(same, header=None), zone=ZONE)) == {"repeated": 1, "zero": 1}
    # The first call has another record, of another leg; the call with 0 seconds has another one with talk time.
    grown = [*same, asterisk_row("1.1", start="2026-03-20 12:01:01"), asterisk_row("1.2", billsec=30)]
    received = imported(file_of(grown, header=None), zone=ZONE)
    assert fates(received) == {"repeated": 1, "zero": 1, "rejected": 1, "added": 1}
    assert rejects(received) == [(3, "before_upgrade")]
    # If the file has a sequence from now on, they are still the same records.
    header = ",".join([*COLUMNS["asterisk"], "sequence"])
    sequenced = [f"{each},{place}" for place, each in enumerate([*same, asterisk_row("1.2", billsec=30)])]
    assert fates(imported(file_of(sequenced, header=header), zone=ZONE)) == {
        "repeated": 2, "zero": 1, "not_a_call": 1,
    }  # fmt: skip
    april = imported(file_of([asterisk_row("1.1", start="2026-04-02 12:00:00")], header=None), zone=ZONE)
    assert fates(april) == {"added": 1}


def our_own_files_too() -> None:
    assert fates(imported([row("o1"), row("o2")])) == {"repeated": 2, "not_a_call": 1}
    assert fates(imported([row("o1", seconds=5), row("o9")])) == {"set_aside": 1, "added": 1, "not_a_call": 1}
