"""`export_documents`: write the invoices of a month and their credit notes as files. It can be run again."""

import argparse
import os
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from billing.documents.exporting import parts_of, write_parts
from core.arguments import as_month, whole


class Command(BaseCommand):
    help = (
        "Write the invoices of a billing month, and their credit notes, as PDF files into a folder. Documents that "
        "have a customer's billing profile and the issuer's tax number are also written as XML (EN 16931). Existing "
        "files are kept, so run it again after an interruption: it writes the rest."
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--month", type=as_month, required=True, help="the month that was billed, like 2026-10")
        parser.add_argument("--to", type=Path, required=True, metavar="FOLDER", help="created if it doesn't exist")
        parser.add_argument(
            "--workers",
            type=whole(1, 64),
            default=os.cpu_count() or 1,
            metavar="N",
            help="processes that share the work; default: one for each core",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        folder: Path = options["to"]
        try:
            folder.mkdir(parents=True, exist_ok=True)
            parts = parts_of(options["month"], folder)
            count = self._write(parts, folder, options["workers"])
        except (OSError, ValueError) as error:
            raise CommandError(f"The documents can't be written into {folder}: {error}") from error
        documents = "1 document was" if count == 1 else f"{count:,} documents were"
        self.stdout.write(f"{documents} written into {folder}.")

    def _write(self, parts: list[Any], folder: Path, workers: int) -> int:
        columns = [
            TextColumn("Writing"), BarColumn(), MofNCompleteColumn(), TextColumn("documents"), TimeRemainingColumn()
        ]  # fmt: skip
        console = Console(file=self.stdout, soft_wrap=True)  # type: ignore[arg-type]
        done = 0
        with Progress(*columns, console=console, disable=not self.stdout.isatty()) as bar:
            task = bar.add_task("write", total=sum(len(part.keys) for part in parts))
            for count in write_parts(parts, folder, workers=workers):
                done += count
                bar.update(task, completed=done)
        return done
