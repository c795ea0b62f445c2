"""The database's guards of notices: sent ones never change, nor who is told of what, and none is deleted."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from accounts.models import Account, User
from core.outbox.models import EmailState, OutgoingEmail
from onboarding.models import Notice, NoticeKind
from onboarding.notices.enqueue import enqueue
from tests.guarding import UPDATES, by_history_revert, named, refused_by, sql

EXERCISED = {
    *("notice_is_final", "notice_is_dropped_with_its_email", "notice_is_never_deleted", "onboarding_notice_is_kept"),
    *("outgoing_email_is_final", "outgoing_email_is_never_deleted", "core_outgoingemail_is_kept"),
}
NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
WAYS = [way for way in UPDATES if way is not by_history_revert]  # a notice has no history
SETTLED = [EmailState.SENT, EmailState.DROPPED]


@pytest.fixture
def notice(installed: Account) -> Notice:
    enqueue([installed.pk], NoticeKind.EXTENDED, occasion="1", now=NOON, data={"deadline": "2026-05-01"})
    return Notice.objects.get(occasion="1")


def settle(notice: Notice, state: EmailState) -> OutgoingEmail:
    OutgoingEmail.objects.filter(pk=notice.pk).update(state=state, settled_at=NOON, subject="Deadline", body="Words")
    return OutgoingEmail.objects.get(pk=notice.pk)


@pytest.mark.parametrize("way", WAYS, ids=named)
@pytest.mark.parametrize("forged", [{"kind": NoticeKind.ACTIVATED}, {"occasion": "2"}, {"dropped": True}], ids=named)
def test_what_a_notice_tells_of_never_changes(notice: Notice, way: Callable[..., None], forged: Any) -> None:
    with refused_by("notice_is_final"):
        way(notice, **forged)


@pytest.mark.parametrize("way", WAYS, ids=named)
@pytest.mark.parametrize(
    "forged",
    [
        {"kind": "onboarding.else"},
        {"data": {"deadline": "2027-05-01"}},
        {"created_at": datetime(2026, 1, 1, tzinfo=UTC)},
        {"address": "else@example.com"},
    ],
    ids=named,
)
def test_what_its_email_says_and_to_whom_never_changes(notice: Notice, way: Callable[..., None], forged: Any) -> None:
    with refused_by("outgoing_email_is_final"):
        way(notice.email, **forged)


@pytest.mark.parametrize("way", WAYS, ids=named)
def test_a_notice_never_goes_to_somebody_else(
    notice: Notice, make_account: Callable[..., Account], member: User, way: Callable[..., None]
) -> None:
    with refused_by("notice_is_final"):
        way(notice, to=member)
    with refused_by("notice_is_final"):
        way(notice, account=make_account("100002"))
    with refused_by("notice_is_final"):
        sql("UPDATE onboarding_notice SET email_id = email_id + 1000")
    with refused_by("core_outgoingemail_keeps_its_key"):
        sql("UPDATE core_outgoingemail SET id = id + 1000")


@pytest.mark.parametrize("way", WAYS, ids=named)
@pytest.mark.parametrize("state", SETTLED)
@pytest.mark.parametrize(
    "forged",
    [
        {"state": EmailState.WAITING, "settled_at": None},
        {"state": EmailState.FAILED},
        {"body": "Other words"},
        {"subject": "Another"},
        {"address": "else@example.com"},
        {"settled_at": datetime(2026, 1, 1, tzinfo=UTC)},
        {"due_at": datetime(2026, 1, 1, tzinfo=UTC)},
    ],
    ids=named,
)
def test_what_was_sent_or_dropped_stays_as_it_was(
    notice: Notice, state: EmailState, way: Callable[..., None], forged: Any
) -> None:
    with refused_by("outgoing_email_is_final"):
        way(settle(notice, state), **forged)


def test_one_that_was_given_up_may_wait_again(notice: Notice) -> None:
    failed = settle(notice, EmailState.FAILED)
    assert OutgoingEmail.objects.filter(pk=failed.pk).update(state=EmailState.WAITING, settled_at=None) == 1


@pytest.mark.parametrize("way", WAYS, ids=named)
def test_a_notice_is_dropped_with_its_email_and_then_stays_so(notice: Notice, way: Callable[..., None]) -> None:
    way(notice.email, state=EmailState.DROPPED, settled_at=NOON)
    assert Notice.objects.get(pk=notice.pk).dropped
    with refused_by("notice_is_final"):
        way(notice, dropped=False)
    assert enqueue([notice.account_id], NoticeKind.EXTENDED, occasion="1", now=NOON) == 1


@pytest.mark.parametrize("state", [EmailState.WAITING, EmailState.SENT, EmailState.FAILED])
def test_of_one_occasion_no_two_are_sent(notice: Notice, state: EmailState) -> None:
    if state != EmailState.WAITING:
        settle(notice, state)
    email = OutgoingEmail.objects.create(kind="onboarding.notice", address="olivia@example.com")
    again = {"account": notice.account, "to": notice.to, "kind": notice.kind, "occasion": notice.occasion}
    with pytest.raises(IntegrityError, match="notice_once_per_occasion"), transaction.atomic():
        Notice.objects.create(email=email, **again)
    with refused_by("notice_is_final"):
        Notice.objects.create(email=email, dropped=True, **again)


@pytest.mark.parametrize("state", list(EmailState))
def test_no_notice_is_deleted(notice: Notice, state: EmailState) -> None:
    if state != EmailState.WAITING:
        settle(notice, state)
    for delete in (
        notice.delete,
        Notice.objects.filter(pk=notice.pk).delete,
        lambda: sql("DELETE FROM onboarding_notice"),
        lambda: sql("WITH gone AS (DELETE FROM onboarding_notice RETURNING email_id) SELECT * FROM gone"),
    ):
        with refused_by("notice_is_never_deleted"):
            delete()
        notice = Notice.objects.get(occasion="1")


@pytest.mark.parametrize("state", list(EmailState))
def test_no_email_is_deleted(state: EmailState, db: None) -> None:
    """No row refers to this email, so only the guard protects it."""
    settled = None if state == EmailState.WAITING else NOON
    email = OutgoingEmail.objects.create(kind="else", address="a@example.com", state=state, settled_at=settled)
    for delete in (
        email.delete,
        OutgoingEmail.objects.filter(pk=email.pk).delete,
        lambda: sql("DELETE FROM core_outgoingemail"),
    ):
        with refused_by("outgoing_email_is_never_deleted"):
            delete()
        email = OutgoingEmail.objects.get()


@pytest.mark.parametrize(
    ("table", "guards"),
    [
        ("onboarding_notice", ["onboarding_notice_is_kept"]),
        ("core_outgoingemail", ["core_outgoingemail_is_kept", "onboarding_notice_is_kept"]),  # CASCADE empties both
    ],
)
def test_notices_and_the_outbox_are_never_emptied(notice: Notice, table: str, guards: list[str]) -> None:
    with refused_by(*guards):
        sql("SET LOCAL guards.truncate = 'refused'")
        sql("SET CONSTRAINTS ALL IMMEDIATE")
        sql(f"TRUNCATE {table} CASCADE")


def test_the_outbox_keeps_itself(db: None) -> None:
    """If no table refers to it anymore, only its own guard protects it."""
    sql("ALTER TABLE onboarding_notice DROP CONSTRAINT onboarding_notice_email_id_fk")
    with refused_by("core_outgoingemail_is_kept"):
        sql("SET LOCAL guards.truncate = 'refused'")
        sql("TRUNCATE core_outgoingemail")
