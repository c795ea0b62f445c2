"""A real mail server on loopback, which a test can make refuse messages, hang up, go down and come back."""

from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller
from django.core import mail
from django.core.mail import EmailMultiAlternatives

from core.outbox.delivery import send_due
from tests.serving import free_port

SITE = "http://localhost:8000"  # SITE_URL of the tests: links never have the host of a request
REFUSES_FOR_NOW = "451 Try again later"
REFUSES_FOR_GOOD = "550 No such mailbox"


class MailServer:
    """The server. `taken` are the emails that it accepted, in order.

    Its answers can be set for all emails (`answers_all`) or by recipient (`answers_to`); it hangs up `hang_ups` times.
    """

    def __init__(self) -> None:
        self.port = free_port()
        self.taken: list[EmailMessage] = []
        self.connections = 0
        self.answers_all = ""
        self.answers_to: dict[str, str] = {}
        self.hang_ups = 0
        self._controller: Controller | None = None

    def start(self) -> None:
        self._controller = Controller(self, hostname="127.0.0.1", port=self.port)
        self._controller.start()

    def stop(self) -> None:
        if self._controller is not None:
            self._controller.stop()
            self._controller = None

    @contextmanager
    def down(self) -> Iterator[None]:
        """Take the server down within the block."""
        self.stop()
        yield
        self.start()

    def to(self) -> list[str]:
        """Return the recipients of the accepted emails, in order."""
        return [str(message["To"]) for message in self.taken]

    async def handle_EHLO(
        self, server: Any, session: Any, envelope: Any, hostname: str, responses: list[str]
    ) -> list[str]:
        self.connections += 1
        session.host_name = hostname
        return responses

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: list[str]) -> str:
        if answer := self.answers_to.get(address):
            return answer
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        if self.hang_ups:
            self.hang_ups -= 1
            server.transport.abort()
            return ""
        if self.answers_all:
            return self.answers_all
        message = message_from_bytes(envelope.content, policy=policy.default)
        assert [str(message["To"])] == envelope.rcpt_tos
        self.taken.append(message)
        return "250 Taken"


def text_of(message: EmailMessage) -> str:
    part = message.get_body(("plain",))
    assert part is not None
    return part.get_content()


def html_of(message: EmailMessage) -> str:
    part = message.get_body(("html",))
    assert part is not None
    return part.get_content()


def delivered() -> list[EmailMultiAlternatives]:
    """Send what is due, as a worker does, and return all emails that were sent in this test."""
    send_due()
    return mail.outbox
