"""`manage.py activate_accounts`: activate accounts in a batch, permanently (R12)."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.core.management.base import CommandError, CommandParser

from accounts.arguments import user_named
from accounts.models import Account, User
from core.arguments import as_text, shown, whole
from core.clock import database_now
from onboarding.actions import activate_many
from onboarding.activating import Activations, refusals_of, require_activator, required_reason
from onboarding.management.reporting import SHOWN, ReportingCommand, accounts_in_words, by_number, chunks
from onboarding.models import Onboarding, Origin

LONGEST_AGE = 36_500
LONGEST_NUMBER = 40  # characters shown of a line that is not an account number


class Command(ReportingCommand):
    help = (
        "Activate accounts in onboarding, permanently: those whose numbers are given, those of a file, and those that "
        "have been in onboarding for a number of days. An account that can't be activated is listed with the reason "
        "and doesn't stop the others; the exit status is then 1."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("numbers", nargs="*", type=shown, metavar="NUMBER", help="numbers of accounts")
        parser.add_argument("--file", type=Path, help="a file with one account number a line; # starts a comment")
        parser.add_argument(
            "--older-than",
            type=whole(0, LONGEST_AGE),
            metavar="DAYS",
            help="accounts in onboarding for more than this many days",
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
        if not options["numbers"] and options["file"] is None and options["older_than"] is None:
            raise CommandError("Say which accounts: by their numbers, with --file, or with --older-than.")
        numbers = list(dict.fromkeys([*map(str.strip, options["numbers"]), *_read(options["file"])]))
        if not numbers and options["older_than"] is None:
            raise CommandError(f"The file {options['file']} names no account.")
        keys, unknown = _found(numbers)
        if options["older_than"] is not None:
            keys |= _older_than(options["older_than"])
        dry_run = options["dry_run"]
        outcomes = _rehearse(sorted(keys)) if dry_run else activate_many(sorted(keys), by=by, reason=reason)
        total = self._collect(outcomes, len(keys))
        refused = [(number, "There is no account with this number.") for number in unknown]
        refused += by_number(total.refused)
        self._summarize(total.activated, refused, dry_run=dry_run, in_full=options["verbosity"] > 1)
        if refused:
            raise CommandError(
                f"{len(refused):,} of {accounts_in_words(len(keys) + len(unknown))} refused.", returncode=1
            )

    def _collect(self, outcomes: Iterable[Activations], count: int) -> Activations:
        """Return the sum of the outcomes, while showing a progress bar.

        Raises CommandError if the activator loses the permission meanwhile; it says how many are already activated.
        """
        total = Activations()
        with self.progress(count) as show:
            try:
                for outcome in outcomes:
                    total.activated += outcome.activated
                    total.refused |= outcome.refused
                    show(len(total.activated) + len(total.refused))
            except PermissionDenied as denial:
                done = f"Stopped when {accounts_in_words(len(total.activated))} had been activated"
                raise CommandError(f"{done}: {denial}") from denial
        return total

    def _summarize(
        self, activated: Sequence[int], refused: Sequence[tuple[str, str]], *, dry_run: bool, in_full: bool
    ) -> None:
        """Write how many accounts were activated and refused, and list the first of them, or all if `in_full`."""
        would = "would be " if dry_run else ""
        most = None if in_full else SHOWN
        self.stdout.write(f"{accounts_in_words(len(activated))} {would}activated.")
        if dry_run or in_full:
            self.list_accounts(activated, most)
        self.stdout.write(f"{accounts_in_words(len(refused))} {would}refused.")
        self.list_reasons(refused, most)


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


def _read(path: Path | None) -> Iterator[str]:
    """Yield the account numbers of a file. Raises CommandError if it can't be read, or isn't a text file."""
    if path is None:
        return
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise CommandError(f"The file {path} can't be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise CommandError(f"The file {path} is not a text file in UTF-8.") from error
    if "\0" in text:
        raise CommandError(f"The file {path} is not a text file in UTF-8.")
    for line in text.splitlines():
        if number := line.partition("#")[0].strip():
            yield number


def _found(numbers: Sequence[str]) -> tuple[set[int], list[str]]:
    """Return the keys of the accounts with these numbers, and the numbers that no account has."""
    keys: dict[str, int] = {}
    for chunk in chunks([number for number in numbers if number.isascii() and number.isdigit()]):
        keys |= Account.objects.filter(number__in=chunk).values_list("number", "pk")
    unknown = [number[:LONGEST_NUMBER] for number in numbers if number not in keys]
    return set(keys.values()), unknown


def _older_than(days: int) -> set[int]:
    old = Onboarding.objects.in_onboarding().started_before(database_now() - timedelta(days=days))
    return set(old.values_list("account_id", flat=True))


def _rehearse(keys: Sequence[int]) -> Iterator[Activations]:
    """Yield what `activate_many` would do with each chunk of accounts, without doing it."""
    for chunk in chunks(keys):
        refused = refusals_of(chunk)
        yield Activations([key for key in chunk if key not in refused], refused)
