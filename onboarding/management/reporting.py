"""The base class of commands on many accounts, which shows their progress and reports the results."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import Any

from django.core.management.base import BaseCommand
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from accounts.models import Account
from core.chunks import CHUNK

SHOWN = 20


class ReportingCommand(BaseCommand):
    """A command that lists accounts by their numbers, either the first few or all."""

    @contextmanager
    def progress(self, count: int) -> Iterator[Callable[[int], None]]:
        """Show a progress bar on a terminal. The yielded function takes how many of the `count` accounts are done."""
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        console = Console(file=self.stderr._out)  # type: ignore[arg-type]
        with Progress(*columns, console=console, disable=not self.stderr.isatty(), transient=True) as progress:
            bar = progress.add_task("Accounts", total=count)
            yield lambda done: progress.update(bar, completed=done)

    def list_accounts(self, keys: Sequence[int], most: int | None) -> None:
        """Write the numbers of the accounts with these keys, at most `most` of them, or all if None."""
        shown = keys[:most]
        self._list((number for number, _ in by_number(dict.fromkeys(shown, ""))), len(keys) - len(shown))

    def list_reasons(self, reasons: Sequence[tuple[str, str]], most: int | None) -> None:
        """Write these account numbers with their reasons, at most `most` of them, or all if None."""
        shown = reasons[:most]
        self._list((f"{number}: {reason}" for number, reason in shown), len(reasons) - len(shown))

    def _list(self, lines: Iterable[str], more: int) -> None:
        for line in lines:
            self.stdout.write(f"  {line}")
        if more:
            self.stdout.write(f"  … and {more:,} more; --verbosity 2 lists all.")


def by_number(reasons: Mapping[int, str]) -> list[tuple[str, str]]:
    """Return (account number, reason) for each account key, sorted by number."""
    named: list[tuple[str, str]] = []
    for chunk in chunks(list(reasons)):
        accounts = Account.objects.filter(pk__in=chunk).values_list("number", "pk")
        named += [(number, reasons[key]) for number, key in accounts]
    return sorted(named)


def accounts_in_words(count: int) -> str:
    return "1 account" if count == 1 else f"{count:,} accounts"


def chunks(rows: Iterable[Any]) -> Iterator[list[Any]]:
    left = iter(rows)
    while chunk := list(islice(left, CHUNK)):
        yield chunk
