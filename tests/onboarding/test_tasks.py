"""The hourly job of onboarding, as a worker runs it: by the database's clock."""

from procrastinate.contrib.django import app

from accounts.actions import database_now
from accounts.models import Account, User
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


def test_it_is_asked_for_each_hour() -> None:
    assert ("onboarding.schedule", "3 * * * *") in {
        (task.task.name, task.cron) for task in app.periodic_registry.periodic_tasks.values()
    }
