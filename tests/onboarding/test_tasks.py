"""The jobs of onboarding, run as a worker runs them, by the database's clock."""

from typing import Any

import pytest
from procrastinate.contrib.django import app

from accounts.models import Account, User
from core.clock import database_now
from core.outbox.models import EmailState, OutgoingEmail
from core.tasks import send_mail
from onboarding.actions import schedule_activation
from onboarding.models import Onboarding
from onboarding.tasks import schedule
from subscriptions.actions import install
from tests.guarding import nothing_written


def test_an_account_whose_day_has_come_is_activated_once(
    account: Account, owner: User, member: User, catalogue: None
) -> None:
    now = database_now()
    install(account, edition="cc-pro", by=owner, now=now)
    schedule_activation(account, on=account.day_of(now), reason="Trained", by=member, now=now)
    assert schedule() == "1 activated"
    mode = Onboarding.objects.get()
    assert (mode.is_active, mode.activated_by) == (True, User.objects.system_member())
    with nothing_written():
        assert schedule() == ""


def test_where_nothing_is_due_it_writes_nothing(installed: Account) -> None:
    User.objects.system_member()
    with nothing_written():
        assert schedule() == ""


def test_they_are_asked_for_each_hour_and_each_minute() -> None:
    assert {("onboarding.schedule", "3 * * * *"), ("core.send_mail", "* * * * *")} <= {
        (task.task.name, task.cron) for task in app.periodic_registry.periodic_tasks.values()
    }


@pytest.mark.django_db(transaction=True)
def test_each_minute_what_is_due_is_sent_once(installed: Account, mailoutbox: list[Any]) -> None:
    assert send_mail() == "1 sent"
    assert send_mail() == ""
    assert [message.to for message in mailoutbox] == [["olivia@example.com"]]
    assert OutgoingEmail.objects.get().state == EmailState.SENT


@pytest.mark.django_db(transaction=True)
def test_without_a_mail_server_notices_wait_and_the_job_says_so(installed: Account, settings: Any) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    assert send_mail().startswith("the mail server can't be used: ")
    assert OutgoingEmail.objects.get().state == EmailState.WAITING
