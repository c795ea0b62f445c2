"""`manage.py run_schedule`: activate and announce accounts now, as a worker does every hour (R11, R23)."""

from collections.abc import Iterable
from typing import Any

from django.core.exceptions import PermissionDenied
from django.core.management.base import CommandError, CommandParser

from core.clock import database_now
from onboarding.actions import activate_overdue, activate_scheduled, announce
from onboarding.announcing import announcement, to_be_announced
from onboarding.due import allowance, due_by_deadline, due_by_schedule
from onboarding.management.reporting import SHOWN, ReportingCommand, accounts_in_words, by_number

DONE = {
    "scheduled": "activated by their schedule",
    "overdue": "activated by their deadline",
    "announced": "announced, or announced no more",
}


class Command(ReportingCommand):
    help = (
        "Activate the accounts whose scheduled day or announced day has come, and announce coming activations. An "
        "account that can't be activated is listed with the reason and doesn't stop the others; the exit status is "
        "then 1."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="show what would happen, and write nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        dry_run, in_full = options["dry_run"], options["verbosity"] > 1
        refused: dict[int, str] = {}
        done = _rehearse() if dry_run else self._run(refused)
        most = None if in_full else SHOWN
        would = "would be " if dry_run else ""
        for what, keys in done.items():
            self.stdout.write(f"{accounts_in_words(len(keys))} {would}{DONE[what]}.")
            if dry_run or in_full:
                self.list_accounts(keys, most)
        if dry_run:
            return
        self.stdout.write(f"{accounts_in_words(len(refused))} refused.")
        self.list_reasons(by_number(refused), most)
        if refused:
            raise CommandError(f"{accounts_in_words(len(refused))} refused.", returncode=1)

    def _run(self, refused: dict[int, str]) -> dict[str, list[int]]:
        """Activate and announce, filling `refused` with reasons by account key, and return the account keys by DONE."""
        done: dict[str, list[int]] = {}
        now = database_now()
        count = due_by_schedule(now).count() + due_by_deadline(now).count() + to_be_announced(now).count()
        with self.progress(count) as show:

            def collect(what: str, outcomes: Iterable[tuple[list[int], dict[int, str]]]) -> None:
                done[what] = []
                for keys, set_aside in outcomes:
                    done[what] += keys
                    refused.update(set_aside)
                    show(sum(map(len, done.values())) + len(refused))

            try:
                collect("scheduled", ((chunk.activated, chunk.refused) for chunk in activate_scheduled()))
                collect("overdue", ((chunk.activated, chunk.refused) for chunk in activate_overdue()))
            except PermissionDenied as denial:
                raise CommandError(
                    f"The member of the team that stands for the schedule can't activate: {denial}"
                ) from denial
            collect("announced", ((chunk.changed, chunk.refused) for chunk in announce()))
        return done


def _rehearse() -> dict[str, list[int]]:
    """Return the keys of the accounts that would be activated or announced now, by DONE, without doing it."""
    now = database_now()
    scheduled = list(due_by_schedule(now).order_by("pk").values_list("account_id", flat=True))
    overdue = list(due_by_deadline(now).values_list("account_id", flat=True)[: allowance(now)])
    rows = to_be_announced(now).exclude(account__in=[*scheduled, *overdue]).select_related("account")
    announced = [row.account_id for row in rows if announcement(row, row.account.day_of(now)) != row.announced_for]
    return {"scheduled": scheduled, "overdue": overdue, "announced": announced}
