"""`manage.py demo`: set up a clean demo provider, and play the story of its accounts on the terminal."""

import sys
import time
from typing import Any

from django.core.checks import Error
from django.core.management import BaseCommand, CommandError
from rich.console import Console
from rich.table import Table
from rich.text import Text

from core.clock import database_now
from core.guards import all_guards, check_guards
from core.past import writing_history
from demo.bills import show_bills
from demo.database import start_clean
from demo.mail import show_mail
from demo.provider import PASSWORD, make_provider
from demo.story import Storyteller

LOG_INS = [
    ("olivia@example.com", "customer: owns 100001, is a contact of two others"),
    ("hannah@example.com", "customer: owns 100002, which asks to go live"),
    ("carlos@example.com", "customer: owns 100003, has no Contact Center yet"),
    ("fiona@example.com", "customer: owns 100006, which has invoices"),
    ("victor@example.com", "customer: may only view 100002"),
    ("tom@example.com", "Onboarding team"),
    ("bea@example.com", "Billing team"),
    ("sam@example.com", "Support (read only)"),
    ("ada@example.com", "administrator"),
]


class Command(BaseCommand):
    help = "Start a clean demo, dropping an earlier one, and tell the story of an account. Needs DEBUG=true."
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        if hasattr(sys.stdout, "reconfigure"):
            sys.stdout.reconfigure(errors="replace")  # if its encoding has no ✓, the terminal shows a ?
        console = Console(highlight=False, emoji=False)
        begun = time.monotonic()
        start_clean()
        with writing_history():
            provider = make_provider(database_now())
        if missing := [
            str(message.msg) for message in check_guards(databases=["default"]) if isinstance(message, Error)
        ]:
            raise CommandError(" ".join(missing))
        console.print(
            f"A clean demo, made in {time.monotonic() - begun:.1f} s: 6 accounts, 3 of them in onboarding; "
            f"{len(list(all_guards()))} guards of the database are in place."
        )
        console.print()
        storyteller = Storyteller(console, provider)
        storyteller.tell()
        show_bills(storyteller)
        show_mail(storyteller)
        console.print()
        self.show_log_ins(console)

    def show_log_ins(self, console: Console) -> None:
        console.rule(Text("The pages", style="bold"), align="left")
        console.print(Text.assemble("Serve them:  ", ("make serve", "bold")))
        console.print("Customers:   http://localhost:8000/")
        console.print("The team:    http://localhost:8000/admin/")
        console.print(Text.assemble("Password:    ", (PASSWORD, "bold"), ", everybody's"))
        table = Table("Login", "Who")
        for log_in in LOG_INS:
            table.add_row(*log_in)
        console.print(table)
