"""Notices in the database, past Python: what was sent stays, who is told of what never changes, none is lost."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from accounts.models import Account, User
from onboarding.models import Notice, NoticeKind, NoticeState
from onboarding.notices.enqueue import enqueue
from tests.guarding import UPDATES, by_history_revert, named, refused_by, sql

EXERCISED = {"notice_is_final", "notice_is_never_deleted", "onboarding_notice_is_kept"}
NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
WAYS = [way for way in UPDATES if way is not by_history_revert]  # a notice has no history
SETTLED = [NoticeState.SENT, NoticeState.DROPPED]


@pytest.fixture
def notice(installed: Account) -> Notice:
    enqueue([installed.pk], NoticeKind.EXTENDED, occasion="1", now=NOON, facts={"deadline": "2026-05-01"})
    return Notice.objects.get(occasion="1")


def settle(notice: Notice, state: NoticeState) -> Notice:
    Notice.objects.filter(pk=notice.pk).update(state=state, settled_at=NOON, subject="Deadline", body="Words")
    return Notice.objects.get(pk=notice.pk)


@pytest.mark.parametrize("way", WAYS, ids=named)
@pytest.mark.parametrize(
    "forged",
    [
        {"kind": NoticeKind.ACTIVATED},
        {"occasion": "2"},
        {"facts": {"deadline": "2027-05-01"}},
        {"created_at": datetime(2026, 1, 1, tzinfo=UTC)},
    ],
    ids=named,
)
def test_what_a_notice_tells_of_never_changes(notice: Notice, way: Callable[..., None], forged: Any) -> None:
    with refused_by("notice_is_final"):
        way(notice, **forged)


@pytest.mark.parametrize("way", WAYS, ids=named)
def test_a_notice_never_goes_to_somebody_else(
    notice: Notice, make_account: Callable[..., Account], member: User, way: Callable[..., None]
) -> None:
    with refused_by("notice_is_final"):
        way(notice, to=member)
    with refused_by("notice_is_final"):
        way(notice, account=make_account("100002"))
    with refused_by("notice_is_final"):
        sql("UPDATE onboarding_notice SET id = id + 1000")


@pytest.mark.parametrize("way", WAYS, ids=named)
@pytest.mark.parametrize("state", SETTLED)
@pytest.mark.parametrize(
    "forged",
    [
        {"state": NoticeState.WAITING, "settled_at": None},
        {"state": NoticeState.FAILED},
        {"body": "Other words"},
        {"subject": "Another"},
        {"settled_at": datetime(2026, 1, 1, tzinfo=UTC)},
        {"due_at": datetime(2026, 1, 1, tzinfo=UTC)},
    ],
    ids=named,
)
def test_what_was_sent_or_dropped_stays_as_it_was(
    notice: Notice, state: NoticeState, way: Callable[..., None], forged: Any
) -> None:
    with refused_by("notice_is_final"):
        way(settle(notice, state), **forged)


def test_one_that_was_given_up_may_wait_again(notice: Notice) -> None:
    failed = settle(notice, NoticeState.FAILED)
    assert Notice.objects.filter(pk=failed.pk).update(state=NoticeState.WAITING, settled_at=None) == 1


@pytest.mark.parametrize("state", list(NoticeState))
def test_no_notice_is_deleted(notice: Notice, state: NoticeState) -> None:
    if state != NoticeState.WAITING:
        settle(notice, state)
    for delete in (
        notice.delete,
        Notice.objects.filter(pk=notice.pk).delete,
        lambda: sql("DELETE FROM onboarding_notice"),
        lambda: sql("WITH gone AS (DELETE FROM onboarding_notice RETURNING id) SELECT * FROM gone"),
    ):
        with refused_by("notice_is_never_deleted"):
            delete()
        notice.pk = Notice.objects.get(occasion="1").pk


def test_notices_are_never_emptied(notice: Notice) -> None:
    with refused_by("onboarding_notice_is_kept"):
        sql("SET LOCAL guards.truncate = 'refused'")
        sql("SET CONSTRAINTS ALL IMMEDIATE")
        sql("TRUNCATE onboarding_notice CASCADE")
