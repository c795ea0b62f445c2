"""The outbox delivers what any app queues, without an account or a user, and lets no kind of email stop another."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core import mail
from django.core.mail import EmailMultiAlternatives

from core.outbox import kinds
from core.outbox.delivery import DeliveryReport, send_due
from core.outbox.kinds import Obsolete, register
from core.outbox.models import EmailState, OutgoingEmail
from core.outbox.queue import requeue

NOON = datetime(2026, 3, 10, 16, tzinfo=UTC)


class Greetings:
    """A batch of an app's emails that say hello."""

    opened: list[int] = []

    def __init__(self, emails: Sequence[OutgoingEmail]) -> None:
        self.opened.append(len(emails))

    def prepare(self, email: OutgoingEmail, now: datetime) -> EmailMultiAlternatives | Obsolete:
        if email.data.get("over"):
            return Obsolete("The party is over.")
        return EmailMultiAlternatives(f"Hello {email.data['name']}", "Hello!\n", to=[email.address])


@pytest.fixture
def greetings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kinds, "_KINDS", dict(kinds._KINDS))
    monkeypatch.setattr(Greetings, "opened", [])
    register("greeting", Greetings)


def queued(kind: str = "greeting", **data: Any) -> OutgoingEmail:
    return OutgoingEmail.objects.create(kind=kind, address="ann@example.com", data=data, due_at=NOON, created_at=NOON)


def test_an_app_that_registered_its_kind_needs_no_row_of_its_own(greetings: None, db: None) -> None:
    email = queued(name="Ann")
    assert send_due(NOON) == DeliveryReport(sent=1)
    assert [(message.subject, message.to) for message in mail.outbox] == [("Hello Ann", ["ann@example.com"])]
    email.refresh_from_db()
    assert (email.state, email.subject, email.body, email.attempts) == (EmailState.SENT, "Hello Ann", "Hello!\n", 1)


def test_what_can_wait_is_sent_after_all_others(greetings: None, db: None) -> None:
    """A bill run queues thousands of emails, and somebody asks for a new password meanwhile."""
    for name in ("bill 1", "bill 2"):
        OutgoingEmail.objects.filter(pk=queued(name=name).pk).update(can_wait=True)
    later = queued(name="password")
    OutgoingEmail.objects.filter(pk=later.pk).update(due_at=NOON + timedelta(minutes=1))
    assert send_due(NOON + timedelta(minutes=2), batch=1) == DeliveryReport(sent=3)
    assert [message.subject for message in mail.outbox] == ["Hello password", "Hello bill 1", "Hello bill 2"]


def test_what_is_obsolete_is_dropped_with_the_reason(greetings: None, db: None) -> None:
    email = queued(name="Ann", over=True)
    assert send_due(NOON) == DeliveryReport(dropped=1)
    email.refresh_from_db()
    assert (email.state, email.error, email.settled_at) == (EmailState.DROPPED, "The party is over.", NOON)
    assert mail.outbox == []


def test_a_kind_that_no_app_knows_waits_and_stops_no_other(greetings: None, db: None) -> None:
    unknown, _ = queued("unheard-of"), queued(name="Ann")
    assert send_due(NOON) == DeliveryReport(sent=1, put_off=1)
    unknown.refresh_from_db()
    assert unknown.error == "LookupError: No app knows emails of the kind unheard-of."
    assert unknown.due_at == NOON + timedelta(minutes=1)
    register("unheard-of", Greetings)
    assert send_due(NOON).count == 0
    assert send_due(NOON + timedelta(minutes=1)) == DeliveryReport(put_off=1), "it has no name to greet"


def test_one_batch_is_opened_for_all_emails_of_a_kind(greetings: None, db: None) -> None:
    for number in range(5):
        queued(name=str(number))
    assert send_due(NOON, batch=3).sent == 5
    assert Greetings.opened == [3, 2]


def test_the_address_that_is_kept_is_the_one_it_was_sent_to(greetings: None, db: None) -> None:
    class Moved(Greetings):
        def prepare(self, email: OutgoingEmail, now: datetime) -> EmailMultiAlternatives:
            return EmailMultiAlternatives("Hello", "Hello!\n", to=["ann@new.example.com"])

    register("greeting", Moved)
    email = queued()
    assert send_due(NOON).sent == 1
    email.refresh_from_db()
    assert email.address == mail.outbox[0].to[0] == "ann@new.example.com"


def test_a_kind_is_queued_again_without_touching_another(greetings: None, db: None) -> None:
    failed = {"state": EmailState.FAILED, "settled_at": NOON}
    ours, others = queued(name="Ann"), queued("else")
    OutgoingEmail.objects.update(**failed)
    assert requeue([ours.pk, others.pk], kind="greeting", now=NOON) == [ours.pk]
    others.refresh_from_db()
    assert others.state == EmailState.FAILED
