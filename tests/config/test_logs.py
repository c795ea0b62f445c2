"""Log lines: one for each message, whatever is in it, and a traceback only for faults of ours."""

import logging
from collections.abc import Iterator
from io import StringIO

import pytest
from django.conf import settings
from django.test import Client

from accounts.models import User
from config.logs import LineFormatter


@pytest.fixture
def log() -> Iterator[StringIO]:
    """What Django's request logger writes, formatted as the console's."""
    line = settings.LOGGING["formatters"]["line"]
    assert line["class"] == "config.logs.LineFormatter"
    written = StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(LineFormatter(line["format"], style=line["style"]))
    logger = logging.getLogger("django.request")
    logger.addHandler(handler)
    yield written
    logger.removeHandler(handler)


def test_what_is_denied_is_one_line(client: Client, supporter: User, log: StringIO) -> None:
    client.force_login(supporter)
    assert client.post("/admin/accounts/account/add/", {}).status_code == 403
    [line] = log.getvalue().splitlines()
    assert line.endswith("WARNING django.request Forbidden (Permission denied): /admin/accounts/account/add/")


@pytest.mark.parametrize("control", ["%0A", "%0D", "%1B", "%C2%85", "%E2%80%A8"])
def test_no_line_begins_within_another(db: None, client: Client, log: StringIO, control: str) -> None:
    client.get(f"/nowhere{control}2026-11-26%20ERROR%20forged")
    [line] = log.getvalue().splitlines()
    assert "WARNING django.request Not Found: /nowhere" in line
    assert line.isprintable()


def test_a_fault_of_ours_has_its_traceback(log: StringIO) -> None:
    try:
        raise ValueError("Broken")
    except ValueError:
        logging.getLogger("django.request").error("Internal Server Error: %s", "/", exc_info=True)
    assert "Traceback" in log.getvalue()
    assert "ValueError: Broken" in log.getvalue()
