"""Every change of the mode, the seats or the package leaves a history row that names who made it (I16)."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from accounts.models import Account, User
from onboarding.actions import activate
from onboarding.models import Onboarding, Origin
from subscriptions.models import ContactCenter, Item
from tests.guarding import UPDATES, by_history_revert, by_save, named, settle, sql
from tests.subscriptions.test_change import buy

EXERCISED = {"onboarding_leaves_history", "contact_center_leaves_history"}
# Without saves, which write history themselves, with no user if nobody is logged in.
SILENT = [way for way in UPDATES if way not in (by_save, by_history_revert)]
NOON = datetime(2026, 3, 20, 12, tzinfo=UTC)


@pytest.fixture
def role(db: None) -> str:
    """The text in a history row that has no user."""
    return f"Written past the application by the database role {sql('SELECT session_user')[0][0]}"


@pytest.mark.parametrize("way", SILENT, ids=named)
@pytest.mark.parametrize("field", ["seats", "package", "storage", "version"])
def test_what_is_written_past_the_application_leaves_a_row_that_names_the_database_role(
    active: Account, role: str, way: Callable[..., None], field: str
) -> None:
    values = {
        "seats": 7,
        "version": 3,
        "package": Item.objects.get(sku="tf-500"),
        "storage": Item.objects.get(sku="storage-25"),
    }
    settle()
    history = ContactCenter.history.model.objects
    before = history.count()
    way(active.contact_center, **{field: values[field]})
    settle()
    assert history.count() == before + 1
    row = history.latest("history_id")
    assert getattr(row, field) == values[field]
    assert (row.history_type, row.history_user, row.history_change_reason) == ("~", None, role)
    assert {
        f.attname: getattr(row, f.attname) for f in ContactCenter._meta.fields
    } == ContactCenter.objects.values().get()


@pytest.mark.parametrize("way", [way for way in SILENT if way.__name__ != "by_upsert"], ids=named)
def test_an_activation_past_the_application_leaves_a_row_that_names_the_database_role(
    installed: Account, member: User, role: str, way: Callable[..., None]
) -> None:
    settle()
    way(installed.onboarding, activated_at=NOON, activated_by=member, activated_from=Origin.ADMIN, reason="By hand")
    settle()
    row, born = installed.onboarding.history.all()
    assert (row.activated_at, row.activated_by, row.reason) == (NOON, member, "By hand")
    assert (row.history_type, row.history_user, row.history_change_reason) == ("~", None, role)
    assert (born.history_type, born.activated_at) == ("+", None)


def test_a_row_born_past_the_application_leaves_history_too(account: Account, catalogue: None, role: str) -> None:
    items = {item.sku: item.pk for item in Item.objects.all()}
    sql(
        "INSERT INTO onboarding_onboarding (account_id, started_at, activated_from, reason) VALUES (%s, %s, '', '')",
        account.pk,
        NOON,
    )
    sql(
        "INSERT INTO subscriptions_contactcenter (account_id, edition_id, storage_id, package_id, installed_at) "
        "VALUES (%s, %s, %s, %s, %s)",
        account.pk,
        items["cc-pro"],
        items["storage-5"],
        items["tf-payperuse"],
        NOON,
    )
    settle()
    for model in (Onboarding, ContactCenter):
        row = model.history.get()
        assert (row.account, row.history_type, row.history_change_reason) == (account, "+", role)


def test_many_writes_of_one_transaction_leave_the_state_in_which_it_ended(installed: Account) -> None:
    settle()
    for _ in range(2):
        sql("UPDATE subscriptions_contactcenter SET seats = seats + 1")
    settle()
    assert [row.seats for row in installed.contact_center.history.all()] == [2, 0]


def test_a_write_that_changes_nothing_leaves_nothing(installed: Account) -> None:
    settle()
    sql("UPDATE subscriptions_contactcenter SET seats = seats")
    sql("UPDATE onboarding_onboarding SET reason = reason")
    settle()
    assert installed.contact_center.history.count() == installed.onboarding.history.count() == 1


def test_an_action_leaves_one_row_that_names_its_user(installed: Account, owner: User, member: User) -> None:
    settle()
    buy(installed, owner, seats=1, now=NOON)
    activate(installed, by=member, reason="Ready", now=NOON)
    settle()
    for record, by in ((installed.contact_center, owner), (Onboarding.objects.get(), member)):
        changed, born = record.history.all()
        assert (changed.history_type, changed.history_user, changed.history_date) == ("~", by, NOON)
        assert (born.history_type, born.history_user) == ("+", owner)


def test_a_change_past_the_application_is_told_from_the_next_one_by_a_user(installed: Account, owner: User) -> None:
    settle()
    ContactCenter.objects.update(seats=2)
    settle()
    buy(installed, owner, seats=1, now=NOON)
    settle()
    told: list[Any] = [(row.seats, row.history_user) for row in installed.contact_center.history.order_by("history_id")]
    assert told == [(0, owner), (2, None), (1, owner)]
