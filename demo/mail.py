"""The demo's e-mails: each a file that mail programs open, in `outbox/`; none ever leaves the machine."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.core.mail.backends.base import BaseEmailBackend

from core.outbox.delivery import send_due
from demo.bills import OUTBOX, shown
from demo.story import Storyteller

FOLDER = OUTBOX / "e-mails"


class Files(BaseEmailBackend):
    """Writes each e-mail as a file of its own, numbered in the order in which they are sent."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = folder
        self.written = 0

    def send_messages(self, email_messages: Sequence[Any]) -> int:
        for message in email_messages:
            self.written += 1
            path = self.folder / f"{self.written:02}-{message.to[0].partition('@')[0]}.eml"
            path.write_bytes(message.message().as_bytes())
        return len(email_messages)


def tell_mail(story: Storyteller) -> None:
    """Send what the story and its customers enqueued, as a worker would, and say how many and where they are."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for earlier in FOLDER.glob("*.eml"):
        earlier.unlink()
    done = send_due(mail=Files(FOLDER))
    story.step("Contacts are told by e-mail what happened to their accounts; a worker sends them, or a command.")
    story.say("✓", f"{done.sent} e-mails were sent, as files into {shown(FOLDER)}/", "green")
