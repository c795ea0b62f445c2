"""`check_billing`: computes a month anew and reports any cent by which what was invoiced differs from what is owed."""

import argparse
from collections import defaultdict
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db.models import F, OuterRef, Subquery
from django.db.models.functions import Coalesce

from accounts.models import Account
from billing.charges import RECURRING, NotPriced
from billing.facts import facts_of, tariffs
from billing.management.commands.bill_run import month_argument
from billing.models import BilledMonth, InvoiceLine
from billing.run import CHUNK
from subscriptions.models import ContactCenter, Holding, Slot

MOST_SHOWN = 100


class Command(BaseCommand):
    help = "Compute what every billed account owes for a month anew, and compare it with what it was invoiced."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--month", type=month_argument, required=True, help="like 2026-10")

    def handle(self, *args: Any, **options: Any) -> None:
        month = options["month"]
        checked = found = 0
        for accounts in _billed(month):
            checked += len(accounts)
            for account, problem in _problems(accounts, month):
                found += 1
                if found <= MOST_SHOWN:
                    self.stdout.write(f"{Account.objects.get(pk=account)}: {problem}")
        self.stdout.write(f"{checked:,} accounts checked for {month:%B %Y}, {found:,} differences.")
        if found:
            raise CommandError(f"{found} differences between what is owed and what was invoiced.")


def _billed(month: date) -> Iterator[list[int]]:
    """Yield the keys of the accounts whose month was billed, in chunks."""
    after = 0
    while True:
        keys = list(
            BilledMonth.objects.filter(month=month, account__gt=after)
            .order_by("account")
            .values_list("account_id", flat=True)[:CHUNK]
        )
        if not keys:
            return
        yield keys
        after = keys[-1]


def _parted(accounts: list[int]) -> Iterator[tuple[int, str]]:
    """Yield each account that holds something else than the open rows of its ledger say: somebody wrote past us."""
    rows = Holding.objects.open().filter(account=OuterRef("account"))
    centers = ContactCenter.objects.filter(account__in=accounts).annotate(
        in_ledger=Coalesce(Subquery(rows.filter(slot=Slot.PRODUCT).values("quantity")), 0),
        storage_in_ledger=Subquery(rows.filter(slot=Slot.STORAGE).values("item")),
        package_in_ledger=Subquery(rows.filter(slot=Slot.PACKAGE).values("item")),
    )
    for center in centers.exclude(seats=F("in_ledger")):
        yield center.account_id, f"holds {center.seats} seats, its ledger {center.in_ledger}"
    for center in centers.exclude(storage=F("storage_in_ledger"), package=F("package_in_ledger")):
        yield center.account_id, "holds another storage or package than its ledger"


def _problems(accounts: list[int], month: date) -> Iterator[tuple[int, str]]:
    """Yield each account that was invoiced something else than it owes for the month, or a product before activation.

    Adjustments on later invoices count. Calls that arrived since the last invoice are a difference until the next one.
    """
    yield from _parted(accounts)
    facts = facts_of(accounts, month, tariffs())
    invoiced: dict[int, Decimal] = defaultdict(Decimal)
    early: dict[int, list[str]] = defaultdict(list)
    lines = InvoiceLine.objects.filter(invoice__account__in=accounts, month=month)
    for account, kind, sku, first, amount in lines.values_list("invoice__account_id", "kind", "sku", "first", "amount"):
        invoiced[account] += amount
        activated_on = facts[account].activated_on if account in facts else None
        if kind == RECURRING and (activated_on is None or first < activated_on):
            early[account].append(f"{sku} is charged from {first}, before the activation")
    for account in accounts:
        yield from ((account, problem) for problem in early[account])
        try:
            owed = (
                sum((line.amount for line in facts[account].owed(month)), Decimal(0))
                if account in facts
                else Decimal(0)
            )
        except NotPriced as error:
            yield account, str(error)
            continue
        if owed != invoiced[account]:
            yield account, f"owes ${owed:,.2f}, was invoiced ${invoiced[account]:,.2f}"
