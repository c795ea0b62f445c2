"""`replay_case`: replay case files in a temporary database, to see what would be billed."""

import argparse
import json
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from importlib.resources import files
from pathlib import Path
from typing import Any

from django.apps import apps
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.db import connection

from billing.replay import CaseError, differences, replay
from core.arguments import read_json

OUR_APPS = ("accounts", "onboarding", "subscriptions", "billing")


class Command(BaseCommand):
    help = (
        "Replay case files as if customers and staff had done it all, and print refusals and invoices as JSON. This "
        "uses a temporary database: your data is not touched."
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("files", nargs="+", metavar="FILE", help="a case in the form of tests/cases")

    def handle(self, *args: Any, **options: Any) -> None:
        cases = {path: self._read(path) for path in options["files"]}
        catalogue = json.loads(files("subscriptions").joinpath("catalogue.json").read_text())
        wrong = 0
        with _temporary_database():
            for path, case in cases.items():
                result = self._replay(path, case, catalogue)
                wrong += bool(result.get("differences"))
                self.stdout.write(json.dumps(result, indent=1))
        if wrong:
            raise CommandError(f"{wrong} of {len(cases)} cases came out differently than expected.")

    def _read(self, path: str) -> dict[str, Any]:
        try:
            case = read_json(Path(path))
        except (OSError, ValueError) as error:
            raise CommandError(f"{path} can't be read as JSON: {error}") from error
        if not isinstance(case, dict):
            raise CommandError(f"{path} is not a case: it should be one JSON object.")
        return case

    def _replay(self, path: str, case: dict[str, Any], catalogue: dict[str, Any]) -> dict[str, Any]:
        """Empty the database, because each case starts from nothing, and return the result of the case."""
        _empty()
        try:
            result = replay(case, catalogue)
        except (CaseError, ValidationError) as error:
            raise CommandError(f"{path}: {error}") from error
        named = {"name": case.get("name", path), **result}
        return {**named, "differences": differences(case["expected"], result)} if "expected" in case else named


def _empty() -> None:
    """Empty our tables. The guards only allow this in a database whose name says that it is a test's."""
    ours = (model._meta.db_table for model in apps.get_models() if model.__module__.split(".")[0] in OUR_APPS)
    with connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {', '.join(sorted(ours))} RESTART IDENTITY CASCADE")


@contextmanager
def _temporary_database() -> Iterator[None]:
    """Work in a new, empty database on the same server, and drop it at the end."""
    original = connection.settings_dict["NAME"]
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        connection.settings_dict["TEST"]["NAME"] = f"test_replay_{cursor.fetchone()[0]}"
    with _no_statement_timeout(), _only_errors_logged():
        with redirect_stdout(sys.stderr):  # Django prints that it made the cache's table; our output is only JSON
            connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
        try:
            yield
        finally:
            connection.creation.destroy_test_db(original, verbosity=0)


@contextmanager
def _only_errors_logged() -> Iterator[None]:
    """Log only errors: refusals belong to a case, and our output is only JSON."""
    logger = logging.getLogger("django")
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(before)


@contextmanager
def _no_statement_timeout() -> Iterator[None]:
    """Lift the limit on statements: a busy server can need longer to drop a database than a page may take."""
    options = connection.settings_dict["OPTIONS"]
    before = options.get("options", "")
    options["options"] = f"{before} -c statement_timeout=0"
    try:
        yield
    finally:
        options["options"] = before
