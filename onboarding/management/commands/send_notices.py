"""`manage.py send_notices`: send the notices that are due now, as a worker does every minute."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from core.outbox.delivery import send_due
from onboarding.models import Notice


class Command(BaseCommand):
    help = (
        "Send the emails that are due, and report how many were sent, dropped or put off. Emails that could not be "
        "sent are tried again later; the exit status is then 1, also if the mail server can't be reached."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        done = send_due()
        counts = [f"{_notices(done.sent)} sent"]
        counts += [f"{done.dropped:,} dropped, no longer true"] * bool(done.dropped)
        counts += [f"{done.put_off:,} put off"] * bool(done.put_off)
        counts += [f"{done.failed:,} given up"] * bool(done.failed)
        self.stdout.write(f"{', '.join(counts)}; {Notice.objects.waiting().count():,} waiting.")
        if done.unreachable:
            raise CommandError(f"The mail server can't be used, so what is due waits: {done.unreachable}")
        if done.put_off or done.failed:
            raise CommandError("Some notices could not be sent. The admin shows the reason on each notice's page.")


def _notices(count: int) -> str:
    return "1 notice" if count == 1 else f"{count:,} notices"
