"""`manage.py load_catalogue FILE`: add the items and prices of a catalog file."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management import BaseCommand, CommandError

from core.arguments import read_json
from subscriptions.actions import load_catalogue
from subscriptions.catalogue import amount_in_words


class Command(BaseCommand):
    help = (
        "Add the items and prices of a catalogue file, in the form of subscriptions/catalogue.json, that are not there "
        "yet: all of them or, if anything in the file is wrong or contradicts the catalogue, none. Running it again "
        "adds nothing."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, help="the catalogue, as JSON")
        parser.add_argument(
            "--dry-run", action="store_true", help="list every item and price that would be added, and add nothing"
        )

    def handle(self, *args: Any, file: Path, dry_run: bool, **options: Any) -> None:
        try:
            loaded = load_catalogue(read_json(file), dry_run=dry_run)
        except OSError as error:
            raise CommandError(f"{file} can't be read: {error.strerror}.") from error
        except ValueError as error:  # not valid JSON, or not UTF-8
            raise CommandError(f"{file} is not JSON: {error}.") from error
        except ValidationError as error:
            raise CommandError("\n".join([f"{file}:", *error.messages, "Nothing was added."])) from error
        count = f"{len(loaded.items)} items and {len(loaded.prices)} prices"
        if not dry_run:
            self.stdout.write(f"Added {count}.")
            return
        for item in loaded.items:
            self.stdout.write(f"Item {item.sku}: {item.name}, {item.get_kind_display()}")
        for price in loaded.prices:
            item = price.item
            self.stdout.write(f"Price of {item.sku}, {item.name}: {amount_in_words(price)} from {price.effective_from}")
        self.stdout.write(f"Would add {count}. Nothing was added.")
