"""Each notice is sent once, through a real mail server that refuses, hangs up, goes down and comes back."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from accounts.models import Account, Contact, Role, User
from core.outbox import delivery
from core.outbox.delivery import PERMANENT, TRANSIENT, DeliveryReport, send_due
from core.outbox.kinds import Batches
from core.outbox.models import EmailState, OutgoingEmail, OutgoingEmailQuerySet
from onboarding.actions import activate
from onboarding.models import Notice, NoticeKind, Onboarding
from onboarding.notices.enqueue import enqueue
from tests.forking import KILLED, dies_at, in_a_fork
from tests.guarding import sql
from tests.mailing import REFUSES_FOR_GOOD, REFUSES_FOR_NOW, MailServer, text_of
from tests.racing import at_once

NOON = datetime(2026, 3, 10, 16, tzinfo=UTC)


@pytest.fixture
def mail_server(settings: Any) -> Iterator[MailServer]:
    server = MailServer()
    server.start()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.port
    yield server
    server.stop()


@pytest.fixture
def waiting(installed: Account, make_user: Callable[..., User]) -> Callable[[int], list[Notice]]:
    """Return a function that queues a notice to each of `count` new contacts, with nothing else left to send."""

    def make(count: int, kind: NoticeKind = NoticeKind.REQUESTED, **data: str) -> list[Notice]:
        Contact.objects.filter(account=installed).delete()
        for number in range(count):
            user = make_user(f"contact{number:02}@example.com")
            Contact.objects.create(account=installed, user=user, role=Role.TECHNICAL)
        settle_others()
        enqueue([installed.pk], kind, occasion="1", now=NOON, data=data)
        return list(Notice.objects.waiting().order_by("pk"))

    return make


def settle_others() -> None:
    """Drop the emails that are waiting, which the fixtures' actions queued."""
    OutgoingEmail.objects.waiting().update(state=EmailState.DROPPED, settled_at=NOON)


def again(notice: Notice) -> OutgoingEmail:
    """Return the email of a notice as it is now."""
    return OutgoingEmail.objects.get(pk=notice.pk)


def emails(**of: str) -> list[OutgoingEmail]:
    """Return the emails of the notices with these values."""
    return [notice.email for notice in Notice.objects.filter(**of).select_related("email")]


def states() -> list[str]:
    return list(Notice.objects.filter(occasion="1").order_by("pk").values_list("email__state", flat=True))


def test_a_notice_is_sent_once_and_what_was_sent_is_kept(
    waiting: Callable[..., list[Notice]], mail_server: MailServer
) -> None:
    [notice] = waiting(1)
    assert send_due(NOON) == DeliveryReport(sent=1)
    assert mail_server.to() == ["contact00@example.com"]
    message, kept = mail_server.taken[0], again(notice)
    assert (kept.state, kept.settled_at, kept.attempts, kept.error) == (EmailState.SENT, NOON, 1, "")
    assert (kept.subject, kept.body) == (str(message["Subject"]), text_of(message).replace("\r\n", "\n"))
    assert "Acme Support, account 100001" in kept.body
    assert send_due(NOON + timedelta(days=9)) == DeliveryReport()
    assert len(mail_server.taken) == 1


def test_a_notice_is_not_sent_before_it_is_due(waiting: Callable[..., list[Notice]], mail_server: MailServer) -> None:
    waiting(1)
    assert send_due(NOON - timedelta(seconds=1)) == DeliveryReport()
    assert (mail_server.connections, states()) == (0, ["waiting"])


def test_many_go_over_one_connection_in_each_batch(
    waiting: Callable[..., list[Notice]], mail_server: MailServer
) -> None:
    waiting(5)
    assert send_due(NOON, batch=2).sent == 5
    assert mail_server.to() == [f"contact{number:02}@example.com" for number in range(5)]
    assert mail_server.connections == 3


def test_while_the_server_is_down_nothing_is_lost_or_given_up(
    waiting: Callable[..., list[Notice]], mail_server: MailServer
) -> None:
    waiting(3)
    with mail_server.down():
        for day in range(30):
            done = send_due(NOON + timedelta(days=day))
            assert (done.count, "refused" in done.unreachable) == (0, True)
    assert states() == ["waiting"] * 3
    assert {(email.attempts, email.due_at) for email in emails(occasion="1")} == {(0, NOON)}
    assert all("refused" in email.error for email in emails(occasion="1"))
    assert send_due(NOON + timedelta(days=30)) == DeliveryReport(sent=3)
    assert len(mail_server.taken) == 3


def test_a_server_that_refuses_for_a_while_is_asked_again_later_and_later(
    waiting: Callable[..., list[Notice]], mail_server: MailServer
) -> None:
    [notice] = waiting(1)
    mail_server.answers_all = REFUSES_FOR_NOW
    now, waits = NOON, []
    for attempt in range(1, 11):
        assert send_due(now) == DeliveryReport(put_off=1)
        assert send_due(now) == DeliveryReport()
        tried = again(notice)
        assert (tried.attempts, tried.error, tried.settled_at) == (attempt, REFUSES_FOR_NOW, None)
        assert (tried.subject, tried.body) == ("", "")
        waits.append(round((tried.due_at - now) / timedelta(minutes=1)))
        now = tried.due_at
    assert waits == [1, 2, 4, 8, 16, 32, 64, 128, 256, 360]
    mail_server.answers_all = ""
    assert send_due(now) == DeliveryReport(sent=1)
    sent = again(notice)
    assert (len(mail_server.taken), sent.attempts, sent.error) == (1, 11, "")


@pytest.mark.parametrize(
    ("answer", "attempts", "least"),
    [
        (REFUSES_FOR_NOW, TRANSIENT.attempts, timedelta(days=5)),
        (REFUSES_FOR_GOOD, PERMANENT.attempts, timedelta(days=1.5)),
    ],
)
def test_it_is_given_up_only_after_days_of_trying(
    waiting: Callable[..., list[Notice]], mail_server: MailServer, answer: str, attempts: int, least: timedelta
) -> None:
    [notice] = waiting(1)
    mail_server.answers_to = {"contact00@example.com": answer}
    now = NOON
    while again(notice).state == EmailState.WAITING:
        now = max(now, again(notice).due_at)
        assert send_due(now).count == 1
    failed = again(notice)
    assert (failed.state, failed.attempts, failed.error) == (EmailState.FAILED, attempts, answer)
    assert least <= now - NOON <= timedelta(days=6)
    assert failed.settled_at == now
    assert send_due(now + timedelta(days=30)) == DeliveryReport()


def test_a_refused_recipient_stops_no_other(waiting: Callable[..., list[Notice]], mail_server: MailServer) -> None:
    waiting(4)
    mail_server.answers_to = {"contact01@example.com": REFUSES_FOR_GOOD, "contact02@example.com": REFUSES_FOR_NOW}
    assert send_due(NOON) == DeliveryReport(sent=2, put_off=2)
    assert mail_server.to() == ["contact00@example.com", "contact03@example.com"]
    assert mail_server.connections == 1
    [refused] = emails(to__email="contact01@example.com", occasion="1")
    assert (refused.error, refused.due_at) == (REFUSES_FOR_GOOD, NOON + timedelta(hours=6))


def test_a_connection_that_ends_in_the_middle_is_made_anew(
    waiting: Callable[..., list[Notice]], mail_server: MailServer
) -> None:
    waiting(4)
    mail_server.hang_ups = 1
    assert send_due(NOON) == DeliveryReport(sent=3, put_off=1)
    assert (mail_server.connections, len(mail_server.taken)) == (2, 3)
    assert send_due(NOON + timedelta(minutes=1)) == DeliveryReport(sent=1)
    assert sorted(mail_server.to()) == [f"contact{number:02}@example.com" for number in range(4)]


def test_a_server_that_ends_each_connection_is_left_alone(
    waiting: Callable[..., list[Notice]], mail_server: MailServer
) -> None:
    waiting(5)
    mail_server.hang_ups = 100
    done = send_due(NOON)
    assert (done.put_off, done.unreachable) == (2, "The mail server ends each connection.")
    assert mail_server.connections == 2
    mail_server.hang_ups = 0
    assert send_due(NOON) == DeliveryReport(sent=3)
    assert send_due(NOON + timedelta(minutes=1)) == DeliveryReport(sent=2)
    assert len(set(mail_server.to())) == len(mail_server.taken) == 5


def test_a_server_that_wants_a_password_is_no_fault_of_the_notices(
    waiting: Callable[..., list[Notice]], mail_server: MailServer, settings: Any
) -> None:
    waiting(2)
    settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD = "somebody", "wrong"
    assert "AUTH" in send_due(NOON).unreachable
    settings.EMAIL_HOST_USER = settings.EMAIL_HOST_PASSWORD = ""
    assert send_due(NOON) == DeliveryReport(sent=2)


def test_a_notice_without_words_stops_no_other(waiting: Callable[..., list[Notice]], mail_server: MailServer) -> None:
    first, second = waiting(2)
    Contact.objects.filter(user=second.to_id).update(role=Role.BILLING)  # billing contacts don't get this kind
    enqueue([first.account_id], NoticeKind.REQUESTED, occasion="2", now=NOON, data={"wanted_on": "soon"})
    Contact.objects.filter(user=second.to_id).update(role=Role.TECHNICAL)
    assert send_due(NOON) == DeliveryReport(sent=2, put_off=1)
    assert Notice.objects.get(occasion="2").email.error == "ValueError: Invalid isoformat string: 'soon'"


@pytest.mark.parametrize("address", ["nobody", "a@b@c", "ann@example.com\nbcc: all@example.com"])
def test_an_address_that_is_none_stops_no_other_and_adds_no_header(
    waiting: Callable[..., list[Notice]], mail_server: MailServer, address: str
) -> None:
    first, _ = waiting(2)
    User.objects.filter(pk=first.to_id).update(email=address)
    mail_server.answers_to = {"nobody": REFUSES_FOR_GOOD}
    done = send_due(NOON)
    assert (done.sent, done.put_off) == (1, 1)
    assert mail_server.to() == ["contact01@example.com"]
    assert again(first).error


def announce(account: Account, day: datetime, kind: NoticeKind = NoticeKind.SOON) -> Notice:
    told = account.day_of(day)
    Onboarding.objects.filter(account=account).update(announced_for=told)
    settle_others()
    enqueue([account.pk], kind, occasion=told.isoformat(), now=NOON, data={"activates_on": told.isoformat()})
    return Notice.objects.waiting().get()


@pytest.mark.parametrize("kind", [NoticeKind.SOON, NoticeKind.TOMORROW])
def test_a_warning_that_is_true_is_sent(installed: Account, mail_server: MailServer, kind: NoticeKind) -> None:
    notice = announce(installed, NOON + timedelta(days=1), kind)
    assert send_due(NOON + timedelta(days=1)) == DeliveryReport(sent=1)  # late, but on the day that the warning names
    assert "Wednesday, March 11, 2026" in again(notice).subject


def moved(account: Account, member: User) -> datetime:
    Onboarding.objects.filter(account=account).update(announced_for="2026-04-01")
    return NOON


def called_off(account: Account, member: User) -> datetime:
    Onboarding.objects.filter(account=account).update(announced_for=None)
    return NOON


def active_already(account: Account, member: User) -> datetime:
    activate(account, by=member, reason="Ready", now=NOON)
    told = Notice.objects.filter(kind=NoticeKind.ACTIVATED)
    OutgoingEmail.objects.filter(pk__in=told).update(state=EmailState.DROPPED, settled_at=NOON)
    return NOON


def day_passed(account: Account, member: User) -> datetime:
    return NOON + timedelta(days=2)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (moved, "The activation was called off, or moved to another day."),
        (called_off, "The activation was called off, or moved to another day."),
        (active_already, "The account is active already."),
        (day_passed, "The day has passed."),
    ],
)
@pytest.mark.parametrize("kind", [NoticeKind.SOON, NoticeKind.TOMORROW])
def test_a_warning_that_is_no_longer_true_is_dropped(
    installed: Account,
    member: User,
    mail_server: MailServer,
    kind: NoticeKind,
    change: Callable[[Account, User], datetime],
    why: str,
) -> None:
    notice = announce(installed, NOON + timedelta(days=1), kind)
    now = change(installed, member)
    assert send_due(now) == DeliveryReport(dropped=1)
    dropped = again(notice)
    assert (dropped.state, dropped.settled_at, dropped.error) == (EmailState.DROPPED, now, why)
    assert (mail_server.taken, dropped.attempts, dropped.body) == ([], 0, "")


def test_who_left_meanwhile_is_not_told(waiting: Callable[..., list[Notice]], mail_server: MailServer) -> None:
    left, off, moved_on, _ = waiting(4)
    Contact.objects.filter(user=left.to_id).delete()
    User.objects.filter(pk=off.to_id).update(is_active=False)
    Contact.objects.filter(user=moved_on.to_id).update(role=Role.VIEWER)
    assert send_due(NOON) == DeliveryReport(sent=1, dropped=3)
    assert mail_server.to() == ["contact03@example.com"]


def test_the_reads_of_a_batch_do_not_grow_with_it(
    active: Account, make_user: Callable[..., User], mail_server: MailServer
) -> None:
    settle_others()

    def queries(count: int, occasion: str) -> int:
        for number in range(count):
            user = make_user(f"{occasion}{number}@example.com")
            Contact.objects.create(account=active, user=user, role=Role.TECHNICAL)
        enqueue([active.pk], NoticeKind.ACTIVATED, occasion=occasion, now=NOON)
        with CaptureQueriesContext(connection) as captured:
            assert send_due(NOON, batch=100).sent == Notice.objects.filter(occasion=occasion).count()
        return len(captured)

    few, many = queries(2, "few"), queries(20, "many")
    notices = Notice.objects.filter(occasion="many").count() - Notice.objects.filter(occasion="few").count()
    # Each takes a lock, its notice, one UPDATE, and four statements that begin and end two nested transactions.
    assert (many - few) == 7 * notices


def test_the_command_says_what_became_of_them(waiting: Callable[..., list[Notice]], mail_server: MailServer) -> None:
    waiting(3)
    out = StringIO()
    mail_server.answers_to = {"contact00@example.com": REFUSES_FOR_NOW}
    with pytest.raises(CommandError, match="The back office shows why") as refused:
        call_command("send_notices", stdout=out)
    assert refused.value.returncode == 1
    assert out.getvalue() == "2 emails sent, 1 put off; 1 waiting.\n"
    OutgoingEmail.objects.waiting().update(due_at=NOON)
    with mail_server.down(), pytest.raises(CommandError, match="what is due waits"):
        call_command("send_notices", stdout=out)
    mail_server.answers_to = {}
    out = StringIO()
    call_command("send_notices", stdout=out)
    assert out.getvalue() == "1 email sent; 0 waiting.\n"


# Tests without a transaction around them, because they use other connections and processes.


def test_it_is_not_done_within_a_transaction(transactional_db: None) -> None:
    with transaction.atomic(), pytest.raises(RuntimeError, match="durable"):
        delivery._send(1, Batches([]), None, NOON, DeliveryReport())  # type: ignore[arg-type]


@pytest.mark.django_db(transaction=True)
def test_two_workers_at_once_send_each_notice_once(
    waiting: Callable[..., list[Notice]], mail_server: MailServer
) -> None:
    waiting(40)
    done = at_once(2, lambda number: send_due(NOON, batch=7))
    assert [outcome for outcome in done if isinstance(outcome, Exception)] == []
    assert sum(outcome.sent for outcome in done if isinstance(outcome, DeliveryReport)) == 40
    assert sorted(mail_server.to()) == [f"contact{number:02}@example.com" for number in range(40)]
    assert states() == ["sent"] * 40


@pytest.mark.django_db(transaction=True)
def test_without_the_lock_they_would_send_twice(
    waiting: Callable[..., list[Notice]], mail_server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control of the test above, which shows that the race is real."""
    waiting(40)
    monkeypatch.setattr(OutgoingEmailQuerySet, "select_for_update", lambda rows, **options: rows)
    at_once(2, lambda number: send_due(NOON, batch=7))
    assert len(mail_server.taken) > 40


def run_and_kill(point: str, times: int) -> int:
    """Send in a fork that is killed on call number `times` + 1 of the checkpoint `point`; return its exit status."""

    def until_killed() -> None:
        delivery.checkpoint = dies_at(point, times)
        send_due()

    status, _ = in_a_fork(until_killed)
    return status


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("point", "times", "repeated"),
    [("before the server", 2, 0), ("after the server", 1, 1), ("after the server", 0, 1)],
)
def test_killed_at_any_point_all_are_sent_and_at_most_one_twice(
    waiting: Callable[..., list[Notice]], mail_server: MailServer, point: str, times: int, repeated: int
) -> None:
    waiting(5)
    assert run_and_kill(point, times) == KILLED
    assert states().count("sent") == times
    assert run_and_kill("-", 0) == 0
    assert states() == ["sent"] * 5
    assert len(mail_server.taken) == 5 + repeated
    # An email that was sent twice has the same Message-ID, by which mail systems recognize the duplicate.
    assert len({message["Message-ID"] for message in mail_server.taken}) == 5


@pytest.mark.django_db(transaction=True)
def test_a_notice_that_somebody_holds_is_passed_by(
    waiting: Callable[..., list[Notice]], mail_server: MailServer
) -> None:
    first, *_ = waiting(3)

    def send(number: int) -> DeliveryReport:
        return send_due(NOON)

    with transaction.atomic():
        sql("SELECT FROM core_outgoingemail WHERE id = %s FOR UPDATE", first.pk)
        assert at_once(1, send) == [DeliveryReport(sent=2)]
    assert again(first).state == EmailState.WAITING
    assert send_due(NOON) == DeliveryReport(sent=1)
