"""Every command and job that writes is killed (SIGKILL) at several steps, and run again.

What is in the database afterwards, and which emails are sent, is what one undisturbed run leaves, row by row.
"""

from collections import Counter
from importlib import import_module
from typing import Any

import pytest
from django.core.management import get_commands
from procrastinate.contrib.django import app

from core.clock import database_now
from core.guards import OUR_APPS
from core.outbox.delivery import send_due
from tests.billing.conftest import answered, customers
from tests.forking import KILLED
from tests.mailing import MailServer
from tests.onboarding.notices.test_sending import mail_server
from tests.reliability.commands import COMMANDS, ELSEWHERE, ONLY_READ
from tests.reliability.killing import AFTER, BEFORE, differences, points, run, state
from tests.remembering import all_rows, go_back_to

__all__ = ["answered", "customers", "mail_server"]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("name", COMMANDS)
def test_killed_and_run_again_it_leaves_what_one_run_leaves(
    name: str, request: pytest.FixtureRequest, mail_server: MailServer
) -> None:
    command = COMMANDS[name]
    work = command.work(name, command.set_up(request))
    before, since = all_rows(), database_now()

    def left() -> tuple[Any, Counter[tuple[str, str]]]:
        """Return what is in the database, and the emails that were sent by now or are sent of it."""
        found = state(all_rows(), before, since=since, but=command.but)
        send_due()
        sent = Counter((str(email["To"]), str(email["Subject"])) for email in mail_server.taken)
        mail_server.taken.clear()
        go_back_to(before)
        return found, sent

    status, told, steps = run(work)
    assert status == 0, told
    expected, emails = left()
    assert differences(expected, state(before, before, since=since, but=command.but)), "it wrote nothing"
    for point in points(steps):
        where = f"killed {steps[point] if steps[point] in (BEFORE, AFTER) else 'before ' + steps[point]} ({point})"
        status, told, _ = run(work, dies_before=point)
        assert status == KILLED, (where, told)
        status, told, _ = run(work)
        assert status in command.again, (where, told)
        found, sent = left()
        assert differences(found, expected) == [], where
        twice = sent - emails
        assert emails - sent == Counter(), where
        # Between the mail server's answer and the commit, nobody knows that an email was sent: docs/notices.md.
        assert not twice or (name == "send_notices" and twice.total() == 1 and steps[point] == BEFORE), (where, twice)


def test_every_command_and_job_is_in_the_table() -> None:
    ours = {name for name, place in get_commands().items() if place in OUR_APPS or place in ("core", "config", "demo")}
    jobs = {task.task.name for task in app.periodic_registry.periodic_tasks.values()}
    listed = [*COMMANDS, *ONLY_READ, *ELSEWHERE]
    assert sorted(listed) == sorted(ours | jobs)


@pytest.mark.parametrize("test", sorted(set(ELSEWHERE.values())))
def test_what_is_killed_elsewhere_has_a_test(test: str) -> None:
    module, name = test.split("::")
    assert callable(getattr(import_module(f"tests.{module}"), name))
