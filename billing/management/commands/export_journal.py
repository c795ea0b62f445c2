"""`export_journal`: write the accounting entries of the documents that were issued in a month, as CSV."""

import argparse
import os
from datetime import UTC, datetime, time
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from billing.journal import COLUMNS, NotBalanced, entries_of, unknown_names
from billing.months import LAST_ZONE
from billing.pricing.charges import month_after
from core.arguments import as_month
from core.clock import database_now
from core.csv_files import csv_line


class Command(BaseCommand):
    help = (
        "Write the accounting entries of the invoices and credit notes that were issued in a month, as CSV. Debits and "
        "credits are equal for each document. The file is written whole or not at all."
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--month", type=as_month, required=True, help="the month of issue, like 2026-11")
        parser.add_argument("--to", type=Path, required=True, metavar="FILE", help="the file to write")
        parser.add_argument("--overwrite", action="store_true", help="replace the file if it exists")

    def handle(self, *args: Any, **options: Any) -> None:
        path: Path = options["to"]
        if unknown := unknown_names():
            raise CommandError(f"JOURNAL_ACCOUNTS has unknown names: {', '.join(unknown)}.")
        try:
            if path.exists() and not options["overwrite"]:
                raise CommandError(f"{path} exists. Name another file, or replace it with --overwrite.")
            count = self._write(path, options)
        except (OSError, ValueError) as error:
            raise CommandError(f"The journal can't be written to {path}: {error}") from error
        except NotBalanced as error:
            raise CommandError(f"Nothing was written, because the journal is not balanced. {error}") from error
        entries = "1 entry was" if count == 1 else f"{count:,} entries were"
        self.stdout.write(f"{entries} written to {path}.")
        if database_now() - LAST_ZONE < datetime.combine(month_after(options["month"]), time(), UTC):
            self.stderr.write(
                f"{options['month']:%B %Y} has not ended everywhere, so documents may still be added. Export it again "
                "later."
            )

    def _write(self, path: Path, options: dict[str, Any]) -> int:
        """Write the entries to a file of another name first, and return how many they are."""
        unfinished = path.with_name(f"{path.name}.part")
        count = 0
        try:
            with unfinished.open("w", newline="", encoding="utf-8") as file:
                file.write(csv_line(COLUMNS))
                for entry in entries_of(options["month"]):
                    file.write(csv_line(entry.cells(settings.JOURNAL_ACCOUNTS)))
                    count += 1
            os.replace(unfinished, path)
        finally:
            unfinished.unlink(missing_ok=True)
        return count
