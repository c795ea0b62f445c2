"""`manage.py activate_accounts`: activate accounts in a batch, permanently (R12)."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.core.management.base import CommandError, CommandParser
from django.template.loader import render_to_string

from accounts.arguments import user_named
from accounts.models import Account, User
from core.arguments import as_text, shown, whole
from core.clock import database_now
from core.dates import day_in_words
from onboarding.actions import activate_many
from onboarding.activating import Activations, refusals_of, require_activator, required_reason
from onboarding.daily_cap import check_daily_cap
from onboarding.management.account_numbers import read_numbers
from onboarding.management.reporting import SHOWN, ReportingCommand, accounts_in_words, by_number, chunks
from onboarding.models import Onboarding, Origin
from onboarding.objections import postponed
from onboarding.worklist import planned

LONGEST_AGE = 36_500
LONGEST_COMPANY = 40  # characters shown of a company's name
LONGEST_NUMBER = 40  # characters shown of a line that is not an account number


class Command(ReportingCommand):
    help = (
        "Activate accounts in onboarding, permanently: those whose numbers are given or in a file, or those that have "
        "been in onboarding for a number of days. An account that can't be activated is listed with the reason and "
        "doesn't stop the others; the exit status is then 1. Accounts left out because the team postponed them don't "
        "count as skipped for the exit status. In a day, no more accounts are activated than the setting "
        "ONBOARDING_ACTIVATIONS_A_DAY says, unless --by is an administrator."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("numbers", nargs="*", type=shown, metavar="NUMBER", help="numbers of accounts")
        parser.add_argument(
            "--file",
            type=Path,
            help="a file with one account number a line, where # starts a comment, or the worklist's CSV file, or any "
            "with a column `account`; - reads standard input",
        )
        parser.add_argument(
            "--older-than",
            type=whole(0, LONGEST_AGE),
            metavar="DAYS",
            help="accounts in onboarding for more than this many days, except those the team postponed (custom "
            "deadline, no deadline, or scheduled activation)",
        )
        parser.add_argument(
            "--include-postponed", action="store_true", help="with --older-than: also those that the team postponed"
        )
        parser.add_argument(
            "--by",
            type=as_text,
            required=True,
            metavar="EMAIL",
            help="the member of staff who activates them and may do so",
        )
        parser.add_argument("--reason", type=as_text, required=True, help="the reason, stored with each account")
        parser.add_argument("--dry-run", action="store_true", help="show what would happen, and write nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        by, reason = _checked(options["by"], options["reason"])
        days, dry_run, in_full = options["older_than"], options["dry_run"], options["verbosity"] > 1
        unless = None if days is None or options["include_postponed"] else postponed
        named, unknown = _named(options["numbers"], options["file"], days, options["include_postponed"])
        keys = named if days is None else _older_than(days)
        left_out = dict(unless(keys, database_now())) if unless else {}
        chosen = sorted(keys.difference(left_out))
        outcomes = _rehearse(chosen) if dry_run else activate_many(chosen, by=by, reason=reason, unless=unless)
        total = self._collect(outcomes, len(chosen))
        total.left_out |= left_out
        refused = [(number, "There is no account with this number.") for number in unknown]
        refused += by_number(total.refused)
        self._summarize(total, refused, dry_run=dry_run, in_full=in_full)
        if dry_run:
            _check_cap(total.activated, by)
        if refused:
            raise CommandError(
                f"{len(refused):,} of {accounts_in_words(len(chosen) + len(unknown))} refused.", returncode=1
            )

    def _collect(self, outcomes: Iterable[Activations], count: int) -> Activations:
        """Return the sum of the outcomes, while showing a progress bar.

        Raises CommandError if they are more than may be activated today, or if the activator loses the permission
        meanwhile; it then says how many are already activated.
        """
        total = Activations()
        with self.progress(count) as show:
            try:
                for outcome in outcomes:
                    total.activated += outcome.activated
                    total.refused |= outcome.refused
                    total.left_out |= outcome.left_out
                    show(len(total.activated) + len(total.refused) + len(total.left_out))
            except ValidationError as refusal:
                raise CommandError(" ".join(refusal.messages)) from refusal
            except PermissionDenied as denial:
                done = f"Stopped when {accounts_in_words(len(total.activated))} had been activated"
                raise CommandError(f"{done}: {denial}") from denial
        return total

    def _summarize(
        self, total: Activations, refused: Sequence[tuple[str, str]], *, dry_run: bool, in_full: bool
    ) -> None:
        """Write how many accounts were activated, left out and refused, and list the first of each, or all.

        A dry run also shows the company, the deadline and the amounts of those that would be activated.
        """
        would = "would be " if dry_run else ""
        most = None if in_full else SHOWN
        self.stdout.write(f"{accounts_in_words(len(total.activated))} {would}activated.")
        if dry_run and total.activated:
            self._preview(total.activated, most)
        elif in_full:
            self.list_accounts(total.activated, most)
        if total.left_out:
            them = "it" if len(total.left_out) == 1 else "them"
            self.stdout.write(
                f"{accounts_in_words(len(total.left_out))} {would}left out because the team postponed {them}. "
                f"Add --include-postponed to activate {them} too."
            )
            self.list_reasons(by_number(total.left_out), most)
        self.stdout.write(f"{accounts_in_words(len(refused))} {would}refused.")
        self.list_reasons(refused, most)

    def _preview(self, keys: Sequence[int], most: int | None) -> None:
        """Write company, deadline and amounts of these accounts, the first of them or all, and their total."""
        rows = planned(Onboarding.objects.filter(account__in=keys)).select_related("account")
        shown = list(rows.order_by("account__number")[:most])
        for row in shown:
            row.account.company = row.account.company[:LONGEST_COMPANY]
            row.due = f"due {day_in_words(row.deadline)}" if row.deadline else "no deadline"
        text = render_to_string(
            "admin/onboarding/rehearsal.txt",
            {
                "rows": shown,
                "more": len(keys) - len(shown),
                "keys": keys,
                "shown": [row.account_id for row in shown],
                "number_width": max(len(row.account.number) for row in shown),
                "company_width": max(len(row.account.company) for row in shown),
                "due_width": max(len(row.due) for row in shown),
            },
        )
        self.stdout.write(text.rstrip("\n"))


def _checked(email: str, reason: str) -> tuple[User, str]:
    """Return the user who activates, and the reason.

    Raises CommandError if there is no such user, they may not activate accounts, or the reason is missing.
    """
    by = user_named(email)
    try:
        require_activator(by, Origin.BATCH)
        return by, required_reason(reason)
    except PermissionDenied as denial:
        raise CommandError(f"{email} can't activate accounts: {denial}") from denial
    except ValidationError as refusal:
        raise CommandError(" ".join(refusal.messages)) from refusal


def _named(
    numbers: Sequence[str], file: Path | None, days: int | None, include_postponed: bool
) -> tuple[set[int], list[str]]:
    """Return the keys of the accounts that are named by number, and the numbers that no account has.

    Raises CommandError if it is not clear which accounts are meant.
    """
    if days is not None and (numbers or file is not None):
        raise CommandError(
            "--older-than can't be combined with account numbers or --file: it would activate these accounts and also "
            "all older ones. Run the command once for each."
        )
    if include_postponed and days is None:
        raise CommandError(
            "--include-postponed only goes with --older-than; accounts named by number are not left out."
        )
    if days is None and not numbers and file is None:
        raise CommandError("Specify accounts by number, with --file or with --older-than.")
    read = read_numbers(file) if file is not None else []
    return _found(list(dict.fromkeys([*map(str.strip, numbers), *read])))


def _found(numbers: Sequence[str]) -> tuple[set[int], list[str]]:
    """Return the keys of the accounts with these numbers, and the numbers that no account has."""
    keys: dict[str, int] = {}
    for chunk in chunks([number for number in numbers if number.isascii() and number.isdigit()]):
        keys |= Account.objects.filter(number__in=chunk).values_list("number", "pk")
    unknown = [number[:LONGEST_NUMBER] for number in numbers if number not in keys]
    return set(keys.values()), unknown


def _check_cap(keys: Sequence[int], by: User) -> None:
    """Raise CommandError if the user may not activate so many accounts today."""
    try:
        check_daily_cap(keys, by=by, now=database_now())
    except ValidationError as refusal:
        raise CommandError(" ".join(refusal.messages)) from refusal


def _older_than(days: int) -> set[int]:
    old = Onboarding.objects.in_onboarding().started_before(database_now() - timedelta(days=days))
    return set(old.values_list("account_id", flat=True))


def _rehearse(keys: Sequence[int]) -> Iterator[Activations]:
    """Yield what `activate_many` would do with each chunk of accounts, without doing it."""
    for chunk in chunks(keys):
        refused = refusals_of(chunk)
        yield Activations([key for key in chunk if key not in refused], refused)
