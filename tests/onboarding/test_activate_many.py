"""`activate_many`: chunk by chunk, and one bad account never stops the others (I17)."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Account, Refusal, User
from onboarding.actions import activate, activate_many
from onboarding.activating import Activations
from onboarding.models import Onboarding, Origin
from tests.conftest import INSTALLED
from tests.guarding import nothing_written, settle, sql

NOON = datetime(2026, 3, 16, 12, tzinfo=UTC)


@pytest.fixture
def keys(make_account: Callable[..., Account], owner: User) -> list[int]:
    """The keys of ten accounts in onboarding, in order."""
    accounts = [make_account(f"2000{n:02}", owner=owner) for n in range(10)]
    for account in accounts:
        Onboarding.objects.create(account=account, started_at=INSTALLED)
    settle()
    return sorted(account.pk for account in accounts)


def batch(keys: Sequence[int], by: User, **arguments: Any) -> Activations:
    """Activate all of them, and return the outcomes of all chunks as one."""
    total = Activations()
    for outcome in activate_many(keys, by=by, reason="Ready", now=NOON, **arguments):
        total.activated += outcome.activated
        total.refused |= outcome.refused
    return total


def active_keys() -> list[int]:
    return sorted(Onboarding.objects.active().values_list("account", flat=True))


def poison(key: int) -> None:
    """Make the database refuse to write the onboarding of this account."""
    sql(
        f"CREATE FUNCTION poisoned() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.account_id = {key} "
        "THEN RAISE EXCEPTION 'this account is poisoned'; END IF; RETURN NEW; END $$"
    )
    sql("CREATE TRIGGER poisoned BEFORE UPDATE ON onboarding_onboarding FOR EACH ROW EXECUTE FUNCTION poisoned()")


def test_all_are_activated_and_recorded(keys: list[int], member: User) -> None:
    outcome = batch(keys, member)
    assert (sorted(outcome.activated), outcome.refused) == (keys, {})
    assert active_keys() == keys
    for row in Onboarding.objects.all():
        assert (row.activated_at, row.activated_by, row.activated_from, row.reason) == (
            NOON,
            member,
            Origin.BATCH,
            "Ready",
        )


@pytest.mark.parametrize(("chunk", "sizes"), [(1, [1] * 10), (4, [4, 4, 2]), (10, [10]), (5_000, [10])])
def test_chunks_are_of_the_size_asked_for(keys: list[int], member: User, chunk: int, sizes: list[int]) -> None:
    outcomes = list(activate_many(keys, by=member, reason="Ready", now=NOON, chunk=chunk))
    assert [len(outcome.activated) for outcome in outcomes] == sizes
    assert active_keys() == keys


def test_running_it_again_changes_nothing(keys: list[int], member: User) -> None:
    batch(keys, member)
    settle()
    with nothing_written():
        outcome = batch(keys, member)
    assert outcome.activated == []
    assert outcome.refused[keys[0]] == "Account 200000 is already active since March 16, 2026 at 08:00 EDT."
    assert sorted(outcome.refused) == keys


def test_unknown_and_duplicate_keys(keys: list[int], account: Account, member: User) -> None:
    unknown = [0, -1, max(keys) + 10_000, 2**40, 2**70]
    outcome = batch([*keys, *unknown, *keys, account.pk], member, chunk=4)
    assert sorted(outcome.activated) == keys
    assert outcome.refused == dict.fromkeys([*unknown, account.pk], "Contact Center is not installed on this account.")


def test_nothing_asked_for_is_nothing_done(member: User) -> None:
    with nothing_written():
        assert list(activate_many([], by=member, reason="Ready")) == []


@pytest.mark.parametrize("place", [0, 4, 9])
@pytest.mark.parametrize("chunk", [3, 10])
@pytest.mark.owner
def test_a_poisoned_account_never_stops_the_others(keys: list[int], member: User, place: int, chunk: int) -> None:
    poison(keys[place])
    outcome = batch(keys, member, chunk=chunk)
    others = [key for key in keys if key != keys[place]]
    assert sorted(outcome.activated) == active_keys() == others
    assert outcome.refused == {keys[place]: "this account is poisoned"}
    assert Onboarding.history.filter(history_type="~").count() == len(others)


def test_an_account_refused_by_a_guard_is_set_aside_in_its_words(
    keys: list[int], make_account: Callable[..., Account], member: User
) -> None:
    late = Onboarding.objects.create(account=make_account("300000"), started_at=NOON + timedelta(seconds=1))
    outcome = batch([*keys, late.account_id], member)
    assert sorted(outcome.activated) == keys
    assert outcome.refused == {
        late.account_id: "An account can't be activated before its onboarding started.",
    }


def test_who_loses_the_permission_between_chunks_is_stopped(keys: list[int], member: User) -> None:
    chunks = activate_many(keys, by=member, reason="Ready", now=NOON, chunk=4)
    assert len(next(chunks).activated) == 4
    User.objects.get(pk=member.pk).groups.clear()
    with nothing_written(), pytest.raises(PermissionDenied):
        next(chunks)
    assert active_keys() == keys[:4]


@pytest.mark.parametrize("who", ["owner", "supporter", "biller"])
def test_nobody_else_activates_many(request: pytest.FixtureRequest, keys: list[int], who: str) -> None:
    user = request.getfixturevalue(who)
    with nothing_written(), pytest.raises(PermissionDenied):
        batch(keys, user)


def test_a_reason_is_required(keys: list[int], member: User) -> None:
    with nothing_written(but=(Refusal,)), pytest.raises(ValidationError):
        next(activate_many(keys, by=member, reason=" "))


def test_without_now_the_clock_is_the_databases(keys: list[int], member: User) -> None:
    [before] = sql("SELECT clock_timestamp()")[0]
    list(activate_many(keys, by=member, reason="Ready"))
    [after] = sql("SELECT clock_timestamp()")[0]
    moments = set(Onboarding.objects.values_list("activated_at", flat=True))
    assert len(moments) == 1
    assert before < moments.pop() < after


def test_history_written_by_the_set_equals_what_a_save_leaves(keys: list[int], member: User) -> None:
    batch(keys[:1], member)
    saved = Onboarding.objects.get(account=keys[1])
    saved.activated_on = NOON.date()
    saved.activated_at, saved.activated_by, saved.activated_from, saved.reason = NOON, member, Origin.BATCH, "Ready"
    vars(saved).update(_history_user=member, _history_date=NOON, _change_reason="Activated")
    saved.save()
    by_set, by_save = (
        Onboarding.history.filter(account=key).order_by("-history_id").values().first() for key in keys[:2]
    )
    assert by_set is not None
    assert by_save is not None
    apart = {"history_id", "id", "account_id"}
    assert {name: value for name, value in by_set.items() if name not in apart} == {
        name: value for name, value in by_save.items() if name not in apart
    }
    settle()
    assert Onboarding.history.filter(account__in=keys[:2], history_type="~").count() == 2


def test_one_and_many_leave_the_same(keys: list[int], member: User) -> None:
    activate(Account.objects.get(pk=keys[0]), by=member, reason="Ready", origin=Origin.BATCH, now=NOON)
    batch(keys[1:2], member)
    one, many = Onboarding.objects.filter(account__in=keys[:2]).order_by("account").values()
    for row in (one, many):
        del row["id"], row["account_id"]
    assert one == many


def test_queries_do_not_grow_with_the_accounts(keys: list[int], member: User) -> None:
    with CaptureQueriesContext(connection) as for_one:
        list(activate_many(keys[:1], by=member, reason="Ready"))
    with CaptureQueriesContext(connection) as for_nine:
        list(activate_many(keys[1:], by=member, reason="Ready"))
    assert len(for_nine) == len(for_one)
