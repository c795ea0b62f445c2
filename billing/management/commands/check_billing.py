"""`check_billing`: compute months again, and report each difference and each account that was not billed."""

import argparse
from collections import Counter
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from accounts.models import Account
from billing.runs.recheck import Finding, FindingKind, Recheck
from billing.runs.unbilled import months_owed
from core.arguments import as_month
from core.chunks import cut
from core.clock import database_now

NAMED_AT_ONCE = 1_000
DIFFERENCE, UNBILLED = 1, 2  # exit statuses


class Command(BaseCommand):
    help = (
        "Compute what every account owes for a month again, and compare it with what it was invoiced. Exit status: 0 "
        "where all is in order (late calls that the next invoice will carry are reported, and are in order); "
        "1 where an account was invoiced something other than it owes, or can't be computed; 2 where nothing is wrong "
        "but accounts were not billed for a month that ended BILL_RUN_AFTER_DAYS ago. Bills on hold and rejected bills "
        "are in order."
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument(
            "--month", type=as_month, help="like 2026-10; default: every month for which an account owes a bill"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        now = database_now()
        recheck = Recheck(now, settings.BILL_RUN_AFTER_DAYS)
        found: Counter[FindingKind] = Counter()
        for month in [options["month"]] if options["month"] else months_owed(now):
            result = recheck.month(month)
            self._report(result.findings, f"{month:%B %Y}")
            counts = {kind: result.count(kind) for kind in FindingKind}
            self.stdout.write(
                f"{result.checked:,} accounts checked for {month:%B %Y}, "
                f"{counts[FindingKind.DIFFERENCE]:,} differences, "
                f"{counts[FindingKind.WAITING]:,} with late calls that wait, "
                f"{counts[FindingKind.UNBILLED]:,} not billed."
            )
            found.update(counts)
        if found[FindingKind.DIFFERENCE]:
            raise CommandError(
                f"{found[FindingKind.DIFFERENCE]:,} differences between what is owed and what was invoiced.",
                returncode=DIFFERENCE,
            )
        if found[FindingKind.UNBILLED]:
            raise CommandError(
                f"{found[FindingKind.UNBILLED]:,} bills are missing: "
                "accounts that were not billed for a month that ended.",
                returncode=UNBILLED,
            )

    def _report(self, findings: list[Finding], month: str) -> None:
        """Write each finding on a line of its own, with the name of its account."""
        for batch in cut(findings, NAMED_AT_ONCE):
            names = Account.objects.in_bulk([finding.account for finding in batch])
            for finding in batch:
                self.stdout.write(f"{names[finding.account]}, {month}: {finding.words}")
