"""Notices in the admin: the state of each, and that a sent notice is never sent again."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.core import mail
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.test import Client
from django.urls import reverse

from accounts.models import Account, Contact, Refusal, Role, User
from core.outbox.delivery import send_due
from core.outbox.models import EmailState, OutgoingEmail
from onboarding.actions import send_again
from onboarding.models import Notice, NoticeKind
from onboarding.notices.enqueue import enqueue
from tests.guarding import nothing_written, sql
from tests.onboarding.notices.test_sending import settle_others
from tests.racing import at_once

LIST = "/admin/onboarding/notice/"
NOON = datetime(2026, 3, 10, 16, tzinfo=UTC)
LATER = NOON + timedelta(days=3)
GIVEN_UP = {"state": EmailState.FAILED, "settled_at": NOON, "attempts": 29, "error": "550 No such mailbox"}
SETTLED = {
    EmailState.SENT: {"state": EmailState.SENT, "settled_at": NOON, "subject": "Deadline", "body": "Words <b>"},
    EmailState.DROPPED: {"state": EmailState.DROPPED, "settled_at": NOON},
}


def of(notice: Notice) -> str:
    return reverse("admin:onboarding_notice_change", args=[notice.pk])


def button(notice: Notice) -> str:
    return reverse("admin:onboarding_notice_send_one_again", args=[notice.pk])


def choice(*notices: Notice) -> dict[str, Any]:
    return {"action": "send_selected_again", "_selected_action": [notice.pk for notice in notices]}


def confirmed(*notices: Notice) -> dict[str, Any]:
    """Return the fields that the confirmation page posts for the selected notices."""
    return {**choice(*notices), "confirmed": "yes"}


def text(answer: Any) -> str:
    return " ".join(answer.content.decode().split())


@pytest.fixture
def notice(installed: Account) -> Notice:
    settle_others()
    enqueue([installed.pk], NoticeKind.REQUESTED, occasion="1", now=NOON)
    return Notice.objects.get(occasion="1")


@pytest.fixture
def given_up(notice: Notice) -> Notice:
    OutgoingEmail.objects.filter(pk=notice.pk).update(**GIVEN_UP)
    notice.refresh_from_db()
    return notice


@pytest.fixture
def as_member(member: User, client: Client) -> Client:
    client.force_login(member)
    return client


def test_the_list_tells_what_became_of_each(given_up: Notice, as_member: Client) -> None:
    shown = text(as_member.get(LIST, {"email__state__exact": "failed"}))
    for said in ("Request to go live received", "Acme Support (100001)", "Olivia Owner", "Failed", "29", "550 No such"):
        assert said in shown
    assert (
        "Olivia Owner" not in text(as_member.get(LIST, {"email__state__exact": "waiting"})).partition("result_list")[2]
    )
    for term in ("100001", "acme", "olivia@"):
        assert "550 No such" in text(as_member.get(LIST, {"q": term, "email__state__exact": "failed"}))
    assert "550 No such" not in text(as_member.get(LIST, {"q": "100002"}))


def test_the_list_takes_few_queries(
    notice: Notice, make_user: Callable[..., User], as_member: Client, django_assert_max_num_queries: Any
) -> None:
    for number in range(30):
        user = make_user(f"contact{number}@example.com")
        Contact.objects.create(account_id=notice.account_id, user=user, role=Role.OWNER)
    enqueue([notice.account_id], NoticeKind.EXTENDED, occasion="2", now=NOON)
    with django_assert_max_num_queries(16):
        assert as_member.get(LIST).status_code == 200


def test_the_page_shows_what_was_sent_and_offers_nothing_more(notice: Notice, as_member: Client) -> None:
    assert send_due(NOON).sent == 1
    shown = as_member.get(of(notice)).content.decode()
    assert "Nothing changes until the team activates the account" in shown
    assert "Request to go live received: Acme Support (100001)" in shown
    assert "Send again now" not in shown


def test_what_was_sent_is_shown_as_text(notice: Notice, as_member: Client) -> None:
    OutgoingEmail.objects.filter(pk=notice.pk).update(**SETTLED[EmailState.SENT])
    assert "Words &lt;b&gt;" in as_member.get(of(notice)).content.decode()


def test_one_that_was_given_up_is_sent_again_when_confirmed(given_up: Notice, member: User, as_member: Client) -> None:
    assert "Send again now" in as_member.get(of(given_up)).content.decode()
    with nothing_written():
        asked = text(as_member.get(button(given_up)))
    assert "550 No such mailbox" in asked
    assert "29 times" in asked
    answer = as_member.post(button(given_up), follow=True)
    assert "1 notice will be sent" in text(answer)
    email = OutgoingEmail.objects.get(pk=given_up.pk)
    assert (email.state, email.attempts, email.settled_at) == (EmailState.WAITING, 0, None)
    assert email.due_at > NOON
    assert LogEntry.objects.get().user == member
    assert send_due().sent == 1
    assert mail.outbox[0].to == ["olivia@example.com"]


def test_one_that_waits_for_its_next_try_is_due_at_once(notice: Notice, member: User) -> None:
    OutgoingEmail.objects.filter(pk=notice.pk).update(due_at=LATER, attempts=9, error="451 Later")
    assert send_due(NOON).count == 0
    assert send_again([notice.pk], by=member, now=NOON).due == [notice.pk]
    assert send_due(NOON).sent == 1


@pytest.mark.parametrize("state", SETTLED)
def test_what_was_sent_or_dropped_is_never_sent_again(
    state: EmailState, notice: Notice, member: User, as_member: Client
) -> None:
    OutgoingEmail.objects.filter(pk=notice.pk).update(**SETTLED[state])
    with nothing_written():
        assert send_again([notice.pk], by=member).due == []
        assert "can’t be sent again: It was" in text(as_member.post(button(notice), follow=True))
        assert "can’t be sent again: It was" in text(as_member.post(LIST, confirmed(notice), follow=True))
    assert send_due(LATER).count == 0
    assert mail.outbox == []


def test_of_many_those_that_can_be_are_sent_again(
    given_up: Notice, make_user: Callable[..., User], as_member: Client
) -> None:
    other = make_user("other@example.com")
    Contact.objects.create(account_id=given_up.account_id, user=other, role=Role.TECHNICAL)
    enqueue([given_up.account_id], NoticeKind.REQUESTED, occasion="1", now=NOON)
    sent = Notice.objects.get(to=other)
    OutgoingEmail.objects.filter(pk=sent.pk).update(**SETTLED[EmailState.SENT])
    answer = text(as_member.post(LIST, confirmed(given_up, sent), follow=True))
    assert "1 notice will be sent" in answer
    assert "1 notice can’t be sent again: It was sent already." in answer
    assert list(Notice.objects.waiting()) == [given_up]


def test_those_that_were_ticked_are_named_before_anything_is_sent(given_up: Notice, as_member: Client) -> None:
    with nothing_written():
        asked = as_member.post(LIST, choice(given_up))
    assert f"to {given_up.to.email}: Failed, 550 No such mailbox" in text(asked)
    kept = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', asked.content.decode()))
    assert "1 notice will be sent" in text(as_member.post(LIST, kept, follow=True))


@pytest.mark.parametrize("who", ["supporter", "biller", "owner", None])
def test_nobody_else_sends_again(
    who: str | None, given_up: Notice, client: Client, request: pytest.FixtureRequest
) -> None:
    if who:
        client.force_login(request.getfixturevalue(who))
    with nothing_written(but=(Refusal,)):
        assert client.post(button(given_up)).status_code == (403 if who in ("supporter", "biller") else 302)
        client.post(LIST, confirmed(given_up))
        if who:
            with pytest.raises(PermissionDenied):
                send_again([given_up.pk], by=request.getfixturevalue(who))
    if who in ("supporter", "biller"):
        assert {refusal.by.email for refusal in Refusal.objects.all()} == {request.getfixturevalue(who).email}
        assert "550 No such" in client.get(of(given_up)).content.decode()
        assert "Send again now" not in client.get(of(given_up)).content.decode()
        assert "Send again now" not in client.get(LIST).content.decode()


def test_who_lost_the_permission_meanwhile_is_refused(given_up: Notice, member: User) -> None:
    member.groups.clear()
    with nothing_written(), pytest.raises(PermissionDenied):
        send_again([given_up.pk], by=member)
    superuser = User.objects.create_superuser("root@example.com", is_active=False)
    with nothing_written(), pytest.raises(PermissionDenied):
        send_again([given_up.pk], by=superuser)


def test_notices_are_only_read(given_up: Notice, as_member: Client) -> None:
    forged = {"state": "waiting", "to": given_up.to_id, "occasion": "2"}
    with nothing_written(but=(Refusal,)):
        assert as_member.post(of(given_up), forged).status_code == 403
        assert as_member.get(f"{LIST}add/").status_code == 403
        assert as_member.post(f"{LIST}{given_up.pk}/delete/", {"post": "yes"}).status_code == 403
        as_member.post(LIST, {**choice(given_up), "action": "delete_selected"})


def test_the_sidebar_counts_those_that_were_given_up(
    given_up: Notice, as_member: Client, django_user_model: Any
) -> None:
    def badge() -> str | None:
        groups = as_member.get(LIST).context["sidebar_navigation"]
        [item] = [item for group in groups for item in group["items"] if item["title"] == "Notices"]
        return item.get("badge")

    assert str(badge()) == "1"
    OutgoingEmail.objects.filter(pk=given_up.pk).update(state=EmailState.WAITING, settled_at=None)
    assert badge() is None


@pytest.mark.django_db(transaction=True)
def test_one_that_is_being_sent_is_not_made_due_again(notice: Notice, member: User) -> None:
    with transaction.atomic():
        sql("SELECT FROM core_outgoingemail WHERE id = %s FOR UPDATE", notice.pk)
        [done] = at_once(1, lambda number: send_again([notice.pk], by=member))
    assert not isinstance(done, Exception)
    assert done.refused == {notice.pk: "It is being sent at this moment."}
    assert OutgoingEmail.objects.get(pk=notice.pk).due_at == NOON
