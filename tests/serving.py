"""Starts gunicorn on loopback, and finds free ports."""

import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from config.database import PROJECT

LONGEST_END = 60


def free_port() -> int:
    """Return a port of 127.0.0.1 on which nothing listens at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


@contextmanager
def gunicorn(
    port: int, *, workers: int, threads: int, settings: Mapping[str, str], log: Path
) -> Iterator[subprocess.Popen[bytes]]:
    """Run gunicorn within the block, with these environment variables; it may not listen yet when the block begins."""
    options = [f"--bind=127.0.0.1:{port}", f"--workers={workers}", f"--threads={threads}", "--no-control-socket"]
    command = [sys.executable, "-m", "gunicorn", "config.wsgi", *options]
    with log.open("w") as written:
        process = subprocess.Popen(command, cwd=PROJECT, env=settings, stdout=written, stderr=written)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(LONGEST_END)
