"""Report what became of every call that is stored for a month, and whether that adds up (R36)."""

import argparse
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from billing.calls.reconcile import reconciled
from core.arguments import as_month


class Command(BaseCommand):
    help = (
        "Count everything that is stored for a month by its fate: records by the day in their account's time zone, and "
        "those without an account by UTC. The exit status is 1 if a row has no fate, or if the counts of an import "
        "differ from what is stored of it."
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--month", type=as_month, required=True, help="like 2026-10")

    def handle(self, *args: Any, **options: Any) -> None:
        found = reconciled(options["month"])
        width = max(map(len, found.fates))
        self.stdout.write(f"{found.month:%B %Y}")
        for fate, (count, minutes) in found.fates.items():
            with_minutes = f", {minutes:,} minutes" if minutes else ""
            self.stdout.write(f"  {fate.replace('_', ' '):{width}}  {count:>12,}{with_minutes}")
        self.stdout.write(f"  {'remainder':{width}}  {found.remainder:>12,}")
        for received in found.wrong_imports:
            self.stdout.write(f"The counts of import {received.pk} ({received.name}) are not what is stored of it.")
        if not found.adds_up:
            raise CommandError("The fates don't add up.", returncode=1)
