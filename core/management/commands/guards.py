"""`guards`: says which guards of the database are not as this release makes them, and prints what puts one right."""

import argparse
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DEFAULT_DB_ALIAS

from core.arguments import as_text
from core.guards import all_functions, all_guards, findings, missing_migrations, unknown_migrations
from core.guards.checking import constraints_of
from core.guards.constraints import expected_constraints, files_for


class Command(BaseCommand):
    help = (
        "List the guards of the database that are MISSING, OFF, CHANGED or OUTDATED; the exit status is 1 if there are "
        "any. With --sql, print the statements that put one right, for the owner of the tables to run."
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        what = parser.add_mutually_exclusive_group()
        what.add_argument(
            "--sql", type=as_text, metavar="NAME", help="print what makes this guard, constraint or function"
        )
        what.add_argument(
            "--write", action="store_true", help="write each app's constraints.txt from this database; for developers"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["sql"]:
            self.stdout.write(_sql_of(options["sql"]))
        elif options["write"]:
            self._write()
        else:
            self._list()

    def _list(self) -> None:
        found = findings(DEFAULT_DB_ALIAS)
        for finding in found:
            self.stdout.write(str(finding))
        if found:
            raise CommandError(f"Guards that are not as this release makes them: {len(found)}.")
        self.stdout.write("All guards are in place.")

    def _write(self) -> None:
        if others := [*missing_migrations(DEFAULT_DB_ALIAS), *unknown_migrations(DEFAULT_DB_ALIAS)]:
            raise CommandError(f"This database doesn't have just the migrations of this code: {', '.join(others)}.")
        for path, text in files_for(constraints_of(DEFAULT_DB_ALIAS)).items():
            path.write_text(text, encoding="utf-8")
            self.stdout.write(f"Wrote {path}: {text.count(chr(10))} constraints.")


def _sql_of(name: str) -> str:
    for guard in all_guards():
        if guard.name == name:
            return guard.sql()
    for function in all_functions():
        if function.name == name:
            return function.sql()
    for (table, constraint), text in expected_constraints().items():
        if constraint == name:
            if text.startswith("CREATE "):
                return f"DROP INDEX IF EXISTS {name};\n{text};"
            return f"ALTER TABLE {table} DROP CONSTRAINT IF EXISTS {name}, ADD CONSTRAINT {name} {text};"
    raise CommandError(f"There is no guard, constraint or function {name}.")
