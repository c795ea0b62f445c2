"""The demo's emails, which are only written to `outbox/`, as files that mail programs can open."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.core.mail.backends.base import BaseEmailBackend

from core.outbox.delivery import send_due
from demo.bills import OUTBOX, shown
from demo.story import Storyteller

FOLDER = OUTBOX / "e-mails"


class Files(BaseEmailBackend):
    """Writes each email to its own file, numbered in the order of sending."""

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


def show_mail(story: Storyteller) -> None:
    """Send the notices that the story and its customers enqueued, as a worker would, and say how many and where."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for earlier in FOLDER.glob("*.eml"):
        earlier.unlink()
    done = send_due(mail=Files(FOLDER))
    story.step("Contacts are notified by email of what happened on their accounts. A worker or a command sends them.")
    story.say("✓", f"{done.sent} emails were sent, as files in {shown(FOLDER)}/", "green")
