"""`make_roles`: sets up the database's roles owner, web, worker and report, each with what it needs and no more."""

import argparse
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, connection, transaction

from core.arguments import as_text
from core.roles.names import Names
from core.roles.plan import Unusable, locks_are_open, plan


class Command(BaseCommand):
    help = (
        "Set up the roles owner, web, worker and report of this database: who owns the tables, what each may do, and "
        "its timeouts. Run it before or after migrate, as often as you like, as an administrator who may create roles; "
        "what is right already stays. It sets no password: use \\password in psql."
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument(
            "--prefix", type=as_text, help="what the names begin with; by default, the name of the database"
        )
        parser.add_argument(
            "--owner",
            type=as_text,
            help="another name for the role that owns the tables, for example its present one",
        )
        parser.add_argument("--dry-run", "--sql", action="store_true", help="print the statements, and run none")

    def handle(self, *args: Any, **options: Any) -> None:
        names = Names.with_prefix(options["prefix"] or connection.settings_dict["NAME"], owner=options["owner"])
        try:
            if options["dry_run"]:
                for statement in plan(connection, names):
                    self.stdout.write(f"{statement};")
                return
            count = _run(names)
        except Unusable as error:
            raise CommandError(str(error)) from error
        except DatabaseError as error:
            raise CommandError(f"Nothing was changed, because the database refused: {str(error).strip()}") from error
        self.stdout.write(f"Roles: {', '.join(names.all())}.")
        self.stdout.write(f"{count} statements were run." if count else "Everything was in place.")
        if locks_are_open(connection, names):
            self.stdout.write(
                "Every role that can connect can also take advisory locks, because only a superuser can change that."
            )


def _run(names: Names) -> int:
    """Run what is missing in one transaction, and return how many statements. Raises Unusable if something stays."""
    with transaction.atomic(), connection.cursor() as cursor:
        statements = plan(connection, names)
        for statement in statements:
            cursor.execute(statement)
        if left := plan(connection, names):
            raise Unusable(f"Nothing was changed, because this had no effect: {left[0]}")
    return len(statements)
