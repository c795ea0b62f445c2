"""Match unmatched calls to the accounts that, after a correction, held their numbers at the time (R25)."""

from typing import Any

from django.core.management.base import BaseCommand
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn

from billing.calls.matching import match_calls
from billing.models import CallRecord


class Command(BaseCommand):
    help = (
        "Match calls to numbers that no account held at the time, if the assignments were corrected since. Months that "
        "were already billed are adjusted by the next bill run."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        console = Console(file=self.stderr._out)  # type: ignore[arg-type]
        columns = (SpinnerColumn(), TextColumn("{task.description}"))
        with Progress(*columns, console=console, disable=not self.stderr.isatty(), transient=True) as progress:
            task = progress.add_task("Matching …")
            matched = match_calls(progress=lambda count: progress.update(task, description=f"{count:,} matched"))
        self.stdout.write(f"{matched:,} matched, {CallRecord.objects.unmatched().count():,} still unmatched.")
