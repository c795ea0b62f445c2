"""Requests that are never finished don't keep gunicorn from answering others."""

import os
import socket
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from tests.serving import free_port, gunicorn

UNFINISHED = [
    b"GET /healthz HT",
    b"POST /login/ HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 100\r\n\r\nlogin=",
    b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n",
]


@pytest.fixture
def port(tmp_path: Path) -> Iterator[int]:
    """The port of a gunicorn with one worker and two threads, which hangs up after a second of silence."""
    free = free_port()
    settings = {**os.environ, "SECONDS_OF_SILENCE": "1"}
    with gunicorn(free, workers=1, threads=2, settings=settings, log=tmp_path / "log"):
        yield free


def answers(port: int, within: float) -> bool:
    end = time.monotonic() + within
    while time.monotonic() < end:
        with suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=within) as answer:
            return bool(answer.status == 200)
        time.sleep(0.1)
    return False


@pytest.mark.skipif(sys.platform != "linux", reason="other systems don't hand the limit on to connections")
def test_unfinished_requests_are_hung_up_on(port: int) -> None:
    assert answers(port, 30)
    with ExitStack() as clients:
        for number in range(9):
            client = clients.enter_context(socket.create_connection(("127.0.0.1", port)))
            client.sendall(UNFINISHED[number % len(UNFINISHED)])
        assert answers(port, 20)
