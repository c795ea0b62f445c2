"""Leave out numbers of invoices or credit notes, as for those that an earlier system gave (I9)."""

import argparse
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.core.management.base import BaseCommand, CommandError

from accounts.arguments import user_named
from billing.actions import skip_numbers
from billing.models import NumberGap
from core.arguments import as_text, whole

LARGEST = 10**12


class Command(BaseCommand):
    help = (
        "Leave out all numbers up to this one, so that the next invoice or credit note has the one after it. The gap "
        "is recorded permanently. Run it as the owner of the tables."
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("of", choices=NumberGap.Of.values, help="whose numbers")
        parser.add_argument("until", type=whole(1, LARGEST), metavar="NUMBER", help="the last number that is left out")
        parser.add_argument("--why", type=as_text, required=True, help="the reason, like: given by the system before")
        parser.add_argument(
            "--by", type=as_text, required=True, metavar="EMAIL", help="the administrator who decides it"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        by = user_named(options["by"])
        try:
            gap = skip_numbers(NumberGap.Of(options["of"]), until=options["until"], why=options["why"], by=by)
        except ValidationError as refusal:
            raise CommandError(" ".join(refusal.messages)) from refusal
        except PermissionDenied as denial:
            raise CommandError(str(denial)) from denial
        self.stdout.write(f"Left out: {gap}. The next number is {gap.last + 1}.")
