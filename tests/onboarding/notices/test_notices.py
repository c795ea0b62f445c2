"""Who gets which notice: one for each contact whose role it concerns."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from django.db import transaction

from accounts.models import Account, Contact, Role, User
from core.outbox.models import EmailState, OutgoingEmail
from onboarding.models import Notice, NoticeKind
from onboarding.notices.enqueue import enqueue

NOON = datetime(2026, 3, 20, 12, tzinfo=UTC)


@pytest.fixture
def contacts(account: Account, make_user: Callable[..., User]) -> None:
    """Contacts of the account, one in each role except the owner's, which it already has."""
    for role in (Role.TECHNICAL, Role.BILLING, Role.VIEWER):
        Contact.objects.create(account=account, user=make_user(f"{role}@example.com"), role=role)


def told() -> list[str]:
    return list(Notice.objects.order_by("to__email").values_list("to__email", flat=True))


@pytest.mark.parametrize("kind", [NoticeKind.SOON, NoticeKind.TOMORROW, NoticeKind.ACTIVATED])
def test_where_money_starts_who_pays_is_told_too(account: Account, contacts: None, kind: NoticeKind) -> None:
    assert enqueue([account.pk], kind, occasion="1", now=NOON) == 3
    assert told() == ["billing@example.com", "olivia@example.com", "technical@example.com"]


@pytest.mark.parametrize("kind", [NoticeKind.INSTALLED, NoticeKind.REQUESTED, NoticeKind.ANSWERED, NoticeKind.EXTENDED])
def test_of_the_rest_those_who_set_up_are_told(account: Account, contacts: None, kind: NoticeKind) -> None:
    assert enqueue([account.pk], kind, occasion="1", now=NOON) == 2
    assert told() == ["olivia@example.com", "technical@example.com"]


def test_every_kind_says_who_cares(account: Account) -> None:
    for kind in NoticeKind:
        assert enqueue([account.pk], kind, occasion="1", now=NOON) == 1


def test_a_contact_with_several_roles_is_told_once(account: Account, owner: User) -> None:
    Contact.objects.create(account=account, user=owner, role=Role.TECHNICAL)
    assert enqueue([account.pk], NoticeKind.INSTALLED, occasion="1", now=NOON) == 1


def test_of_one_occasion_nobody_is_told_twice_and_of_another_he_is(account: Account) -> None:
    first = {"activates_on": "2026-04-01"}
    assert enqueue([account.pk], NoticeKind.SOON, occasion="2026-04-01", now=NOON, data=first) == 1
    assert enqueue([account.pk], NoticeKind.SOON, occasion="2026-04-01", now=NOON, data={"activates_on": "x"}) == 0
    assert enqueue([account.pk], NoticeKind.SOON, occasion="2026-04-08", now=NOON) == 1
    assert Notice.objects.get(occasion="2026-04-01").data == first


def test_who_is_switched_off_and_other_accounts_contacts_are_not_told(
    account: Account, owner: User, make_account: Callable[..., Account]
) -> None:
    other = make_account("100002")
    User.objects.filter(pk=owner.pk).update(is_active=False)
    assert enqueue([account.pk], NoticeKind.INSTALLED, occasion="1", now=NOON) == 0
    assert enqueue([account.pk, other.pk], NoticeKind.INSTALLED, occasion="1", now=NOON) == 1
    assert told() == ["owner100002@example.com"]


def test_a_notice_waits_from_the_moment_it_is_written_and_goes_with_its_transaction(account: Account) -> None:
    with transaction.atomic():
        enqueue([account.pk], NoticeKind.INSTALLED, occasion="undone", now=NOON)
        transaction.set_rollback(True)
    enqueue([account.pk], NoticeKind.INSTALLED, occasion="1", now=NOON)
    notice = Notice.objects.get()
    email = notice.email
    assert (notice.occasion, email.state, email.attempts, email.settled_at) == ("1", EmailState.WAITING, 0, None)
    assert (email.kind, email.address) == ("onboarding.notice", "olivia@example.com")
    assert email.created_at == email.due_at == NOON
    assert list(OutgoingEmail.objects.due(NOON)) == [email]
    assert not OutgoingEmail.objects.due(NOON.replace(hour=11)).exists()
