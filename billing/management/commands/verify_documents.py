"""`verify_documents`: compute the digest of every issued document again, and report each that was changed."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from billing.documents.verifying import verified

MOST_SHOWN = 100


class Command(BaseCommand):
    help = (
        "Compute the digest of every invoice and credit note again, and compare it with the one that was stored when "
        "it was issued. Exit status: 0 if all are as they were issued, 1 if any was changed or has no document."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        checked, wrong, shared = 0, 0, 0
        for part in verified():
            for sentence in [*part.shared, *part.wrong[: max(0, MOST_SHOWN - wrong)]]:
                self.stdout.write(sentence)
            checked += part.checked
            wrong += len(part.wrong)
            shared += len(part.shared)
        if wrong > MOST_SHOWN:
            self.stdout.write(f"… and {wrong - MOST_SHOWN:,} more.")
        documents = "1 document was" if checked == 1 else f"{checked:,} documents were"
        changed = "1 is" if wrong == 1 else f"{wrong:,} are"
        self.stdout.write(f"{documents} checked, and {changed} not as issued.")
        if wrong or shared:
            raise CommandError(
                "Documents were changed outside the application. Compare them with a backup before you send any again."
            )
