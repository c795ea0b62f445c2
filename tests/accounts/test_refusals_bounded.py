"""What one person can make us record: refusals are never deleted, so their length and number are limited."""

import logging
from importlib import import_module

import pytest
from django.apps import apps
from django.core.exceptions import ValidationError
from django.db import connection
from django.db.migrations.state import ProjectState
from django.test import Client

from accounts.acting import MOST_A_MINUTE, MOST_REASONS, record_refusals
from accounts.models import Account, Contact, Refusal, Role, User
from accounts.models.refusal import LONGEST_MESSAGE
from accounts.verbs import OPEN_PAGE
from tests.guarding import nothing_written, refused_by, sql

pytestmark = pytest.mark.guard
LONG = "x" * 600_000


@pytest.fixture
def viewer(client: Client, installed: Account, owner: User) -> User:
    """The account's contact, who may only view, logged in."""
    Contact.objects.filter(user=owner).update(role=Role.VIEWER)
    client.force_login(owner)
    return owner


def stored() -> int:
    """Return how many bytes of text all refusals have."""
    [(size,)] = sql("SELECT coalesce(sum(octet_length(r::text)), 0) FROM accounts_refusal r")
    return int(size)


def refused(reasons: int, message: str = "No.") -> ValidationError:
    return ValidationError([ValidationError(f"{each} {message}", code="no") for each in range(reasons)])


def test_a_viewer_can_not_fill_the_table(client: Client, installed: Account, viewer: User) -> None:
    pages = f"/accounts/{installed.number}/contact-center"
    long = {"package": LONG, "storage": LONG, "seats": LONG, "channels": LONG}
    for _ in range(5):
        assert client.post(f"{pages}/subscription/", long).status_code == 422
        assert client.post(f"{pages}/users/", {"role": LONG, "people": LONG, "everybody": LONG}).status_code == 422
        assert client.post(f"{pages}/install/", {"edition": LONG}).status_code in (302, 403, 422)
    assert 0 < Refusal.objects.count() <= MOST_A_MINUTE
    assert stored() < Refusal.objects.count() * 2 * LONGEST_MESSAGE


def test_one_attempt_leaves_at_most_so_many_rows(
    account: Account, owner: User, caplog: pytest.LogCaptureFixture
) -> None:
    record_refusals(account, owner, OPEN_PAGE, refused(5_000))
    assert Refusal.objects.count() == MOST_REASONS
    assert caplog.messages == [
        f"{5_000 - MOST_REASONS} refusals of {OPEN_PAGE} by user {owner.pk} were not recorded: too many"
    ]


def test_one_person_leaves_at_most_so_many_rows_in_a_minute(
    account: Account, owner: User, member: User, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        for _ in range(MOST_A_MINUTE + 5):
            record_refusals(account, owner, OPEN_PAGE, refused(1))
    assert Refusal.objects.filter(by=owner).count() == MOST_A_MINUTE
    assert len(caplog.messages) == 5
    record_refusals(account, member, OPEN_PAGE, refused(1))
    assert Refusal.objects.filter(by=member).count() == 1, "others are recorded as before"


def test_rows_from_before_that_minute_do_not_count(account: Account, owner: User) -> None:
    sql(
        "INSERT INTO accounts_refusal (account_id, by_id, at, action, field, tried, rule, message) "
        "SELECT %s, %s, now() - interval '61 seconds', %s, '', '', 'no', 'No.' FROM generate_series(1, %s)",
        *(account.pk, owner.pk, OPEN_PAGE, MOST_A_MINUTE * 3),
    )
    record_refusals(account, owner, OPEN_PAGE, refused(1))
    assert Refusal.objects.filter(by=owner).count() == MOST_A_MINUTE * 3 + 1


def test_texts_are_cut_to_their_longest(account: Account, owner: User) -> None:
    record_refusals(
        account, owner, OPEN_PAGE, ValidationError({LONG: ValidationError(LONG, LONG, params={"tried": LONG})})
    )
    left = Refusal.objects.get()
    assert (len(left.field), len(left.rule), len(left.tried)) == (64, 64, 200)
    assert left.message == "x" * (LONGEST_MESSAGE - 1) + "…"


def test_the_database_holds_the_length_too(account: Account, owner: User) -> None:
    row = {"account": account, "by": owner, "action": OPEN_PAGE, "rule": "no"}
    with nothing_written(), refused_by("refusal_message_is_bounded"):
        Refusal.objects.bulk_create([Refusal(**row, message="é" * (LONGEST_MESSAGE + 1))])
    Refusal.objects.bulk_create([Refusal(**row, message="é" * LONGEST_MESSAGE)])


@pytest.mark.owner
def test_longer_messages_from_before_stay(account: Account, owner: User) -> None:
    sql("ALTER TABLE accounts_refusal DROP CONSTRAINT refusal_message_is_bounded")
    Refusal.objects.create(account=account, by=owner, action=OPEN_PAGE, rule="no", message=LONG)
    sql("SET CONSTRAINTS ALL IMMEDIATE")
    now = ProjectState.from_apps(apps)
    _, bound = import_module("accounts.migrations.0009_refusals_are_bounded").Migration.operations
    with connection.schema_editor() as editor:
        bound.database_forwards("accounts", editor, now, now)
    assert len(Refusal.objects.get().message) == len(LONG)
    with refused_by("refusal_message_is_bounded"):
        Refusal.objects.create(account=account, by=owner, action=OPEN_PAGE, rule="no", message=LONG)
