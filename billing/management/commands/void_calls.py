"""Void call records that should never have come in: one, or a whole import (R35)."""

import argparse
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.core.management.base import BaseCommand, CommandError

from accounts.arguments import user_named
from billing.actions import void_import, void_record
from billing.calls.voiding import Voided, preview
from billing.models import CallImport, CallRecord
from core.arguments import as_text, whole
from core.money import money
from core.refusals import AlreadyDone

MOST_LEGS = 20


class Command(BaseCommand):
    help = (
        "Void a call record, or all records of an import: they count as if they had never been made. For months that "
        "were billed, the next invoice carries the difference. A void can't be undone; the right record can be "
        "imported afterwards."
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        what = parser.add_mutually_exclusive_group(required=True)
        what.add_argument(
            "--import", dest="received", type=whole(1, 2**63 - 1), metavar="N", help="the number of an import"
        )
        what.add_argument("--call", type=as_text, metavar="ID", help="the id of a call")
        parser.add_argument(
            "--leg", type=as_text, default="", metavar="LEG", help="which record of the call, if it has a leg"
        )
        parser.add_argument(
            "--by", type=as_text, required=True, metavar="EMAIL", help="who voids: staff with that permission"
        )
        parser.add_argument("--reason", type=as_text, required=True, help="why; it stays with each record")
        parser.add_argument(
            "--confirm-credited", action="store_true", help="void although credit notes were issued for these months"
        )
        parser.add_argument("--dry-run", action="store_true", help="say what would change, and write nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        by = user_named(options["by"])
        received, records = self._chosen(options)
        if options["dry_run"]:
            self._report(preview(records), "would be voided")
            return
        how: dict[str, Any] = {"by": by, "reason": options["reason"], "confirm_credited": options["confirm_credited"]}
        try:
            done = void_import(received, **how) if received else void_record(records.get(), **how)
        except AlreadyDone as answer:
            self.stdout.write(" ".join(answer.messages))
            return
        except ValidationError as refusal:
            hint = " Add --confirm-credited to void all the same." if refusal_code(refusal) == "credited" else ""
            raise CommandError(" ".join(refusal.messages) + hint) from refusal
        except PermissionDenied as denial:
            raise CommandError(str(denial)) from denial
        self._report(done, "voided")

    def _chosen(self, options: dict[str, Any]) -> tuple[CallImport | None, Any]:
        if options["received"] is not None:
            received = CallImport.objects.filter(pk=options["received"]).first()
            if received is None:
                raise CommandError(f"There is no import {options['received']}.")
            return received, received.calls.all()
        records = CallRecord.objects.in_effect().filter(call_id=options["call"], leg=options["leg"])
        if not records.exists():
            legs = CallRecord.objects.in_effect().filter(call_id=options["call"]).order_by("leg")
            others = ", ".join(legs.values_list("leg", flat=True)[:MOST_LEGS])
            hint = f" Its records that are not voided have --leg {others}." if others else ""
            raise CommandError(f"The call {options['call']} has no record with this leg, or it was voided.{hint}")
        return None, records

    def _report(self, voided: Voided, what: str) -> None:
        records, calls, accounts = (
            f"{count:,} {word if count == 1 else word + 's'}"
            for count, word in ((voided.records, "record"), (voided.charged, "call"), (len(voided.accounts), "account"))
        )
        self.stdout.write(
            f"{records} {what}: {calls.replace(' ', ' charged ')} with {voided.minutes:,} minutes, of {accounts}."
        )
        for note in voided.notes.values():
            self.stdout.write(f"{note.title} credited {money(note.amount)} on {note.invoice.title}.")


def refusal_code(refusal: ValidationError) -> str | None:
    """Return the code of a refusal that has a single reason, or None."""
    return getattr(refusal, "code", None)
