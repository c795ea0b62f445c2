"""`manage.py send_notices`: send the emails that are due now, as a worker does every minute."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from core.outbox.delivery import send_due
from core.outbox.models import OutgoingEmail


class Command(BaseCommand):
    help = (
        "Send the emails that are due, and report how many were sent, dropped or put off. Emails that could not be "
        "sent are tried again later; the exit status is then 1, also if the mail server can't be reached."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        done = send_due()
        counts = [f"{_emails(done.sent)} sent"]
        counts += [f"{done.dropped:,} dropped, no longer true"] * bool(done.dropped)
        counts += [f"{done.put_off:,} put off"] * bool(done.put_off)
        counts += [f"{done.failed:,} given up"] * bool(done.failed)
        self.stdout.write(f"{', '.join(counts)}; {OutgoingEmail.objects.waiting().count():,} waiting.")
        if done.unreachable:
            raise CommandError(f"The mail server can't be used, so what is due waits: {done.unreachable}")
        if done.put_off or done.failed:
            raise CommandError(
                "Some emails could not be sent. The back office shows why, on the page of each notice or document."
            )


def _emails(count: int) -> str:
    return "1 email" if count == 1 else f"{count:,} emails"
