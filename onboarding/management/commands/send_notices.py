"""Send the email that is due, at once; the worker does so automatically every minute."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from core.outbox.delivery import send_due
from onboarding.models import Notice


class Command(BaseCommand):
    help = (
        "Send the email that is due, and say what became of it. What could not be sent is tried again "
        "later; the exit status is 1 when there was any, or the mail server can't be reached."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        done = send_due()
        told = [f"{_notices(done.sent)} sent"]
        told += [f"{done.dropped:,} dropped, no longer true"] * bool(done.dropped)
        told += [f"{done.put_off:,} put off"] * bool(done.put_off)
        told += [f"{done.failed:,} given up"] * bool(done.failed)
        self.stdout.write(f"{', '.join(told)}; {Notice.objects.waiting().count():,} waiting.")
        if done.unreachable:
            raise CommandError(f"The mail server can't be used, so what is due waits: {done.unreachable}")
        if done.put_off or done.failed:
            raise CommandError("Some could not be sent; the admin says why, at each notice.")


def _notices(count: int) -> str:
    return "1 notice" if count == 1 else f"{count:,} notices"
