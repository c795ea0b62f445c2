"""`bill_run`: bill all accounts or some for a month. It can be run again, and bills nothing twice (R26)."""

import argparse
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from accounts.models import Account
from billing.actions import run_bills
from billing.runs.run import RunSummary
from core.arguments import as_month, as_text, whole
from core.money import money

MOST_REASONS = 20


class Command(BaseCommand):
    help = "Bill a month that has ended. Run it again after a failure: what was billed is not billed twice."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--month", type=as_month, help="like 2026-10; default: the last that ended everywhere")
        parser.add_argument(
            "--account", type=as_text, action="append", metavar="NUMBER", help="only this account; may be repeated"
        )
        parser.add_argument("--dry-run", action="store_true", help="show what would be billed, and write nothing")
        parser.add_argument(
            "--workers", type=whole(1, 64), default=1, metavar="N", help="processes that share the work"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        console = Console(file=self.stdout, soft_wrap=True)  # type: ignore[arg-type]
        columns = [
            TextColumn("Billing"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("accounts"),
            TimeRemainingColumn(),
        ]
        with Progress(*columns, console=console, disable=not self.stdout.isatty()) as bar:
            task = bar.add_task("bill", total=None)
            try:
                summary = run_bills(
                    options["month"],
                    accounts=_keys(options["account"]),
                    dry_run=options["dry_run"],
                    workers=options["workers"],
                    progress=lambda done, total: bar.update(task, completed=done, total=total),
                )
            except ValidationError as refusal:
                raise CommandError(refusal.messages[0]) from refusal
        if summary.is_empty:
            console.print("Nothing to bill.")
            return
        _report(console, summary, dry_run=options["dry_run"])
        if summary.failed:
            raise CommandError(f"{len(summary.failed)} accounts could not be billed; the others were.")


def _keys(numbers: list[str] | None) -> list[int] | None:
    if numbers is None:
        return None
    keys = dict(Account.objects.filter(number__in=numbers).values_list("number", "pk"))
    unknown = [number for number in numbers if number not in keys]
    if unknown:
        raise CommandError(f"There is no account {', '.join(unknown)}.")
    return list(keys.values())


def _report(console: Console, summary: RunSummary, *, dry_run: bool) -> None:
    """Print the summary, the biggest bills of a dry run, and the reasons for bills on hold and failures."""
    table = Table(title=f"{'Dry run' if dry_run else 'Bill run'} of {summary.month:%B %Y}", show_header=False)
    table.add_column()
    table.add_column(justify="right")
    for label, value in (
        ("Accounts billed", f"{summary.accounts:,}"),
        ("Invoices", f"{summary.invoices:,}"),
        ("Lines", f"{summary.lines:,}"),
        ("Total", money(summary.total)),
        ("Held for a person", f"{len(summary.on_hold):,}"),
        ("Failed", f"{len(summary.failed):,}"),
    ):
        table.add_row(label, value)
    console.print(table)
    shown = [account for _, account in summary.biggest] if dry_run else []
    reasons = {**summary.on_hold, **summary.failed}
    names = {
        account.pk: str(account) for account in Account.objects.filter(pk__in=[*shown, *list(reasons)[:MOST_REASONS]])
    }
    if shown:
        biggest = Table("Biggest bills", title=None)
        biggest.add_column("Total", justify="right")
        for total, account in summary.biggest:
            biggest.add_row(names[account], money(total))
        console.print(biggest)
    for account, reason in list(reasons.items())[:MOST_REASONS]:
        console.print(f"{'Held' if account in summary.on_hold else 'Failed'}: {names[account]}: {reason}", markup=False)
    if len(reasons) > MOST_REASONS:
        console.print(f"… and {len(reasons) - MOST_REASONS} more; the admin lists them all.")
