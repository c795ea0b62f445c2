"""`manage.py load_catalogue FILE`: add the items and prices of a catalogue file."""

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management import BaseCommand, CommandError

from subscriptions.catalogue import load_catalogue


class Command(BaseCommand):
    help = (
        "Add the items and prices of a catalogue file, in the form of subscriptions/catalogue.json, that are not there "
        "yet. All of the file or, where anything in it is wrong, nothing. Running it again adds nothing."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, help="the catalogue, as JSON")

    def handle(self, *args: Any, file: Path, **options: Any) -> None:
        try:
            items, prices = load_catalogue(json.loads(file.read_text(encoding="utf-8")))
        except OSError as error:
            raise CommandError(f"{file} can't be read: {error.strerror}.") from error
        except ValueError as error:  # of JSON, or of UTF-8
            raise CommandError(f"{file} is not JSON: {error}.") from error
        except ValidationError as error:
            raise CommandError(f"{file}: {' '.join(error.messages)} Nothing was added.") from error
        self.stdout.write(f"Added {items} items and {prices} prices.")
