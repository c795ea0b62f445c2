"""The demo in a database of its own, served by gunicorn as in production, for as long as the block lasts."""

import os
import secrets
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from config.database import PROJECT
from tests.own_database import own_database
from tests.serving import free_port, gunicorn

LONGEST_START = 60


@dataclass(frozen=True)
class Server:
    """Where gunicorn listens on 127.0.0.1, and where it writes its log."""

    port: int
    log: Path

    def complaints(self) -> list[str]:
        """Return the lines of the log that say that something went wrong: tracebacks, and workers that were killed."""
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()
        return [line for line in lines if "Traceback" in line or "WORKER TIMEOUT" in line or "SIGKILL" in line]


@contextmanager
def serving_the_demo() -> Iterator[Server]:
    """Make the demo, serve it, and drop its database at the end. Raises RuntimeError if gunicorn doesn't start."""
    port = free_port()
    with own_database("fuzz") as url, tempfile.TemporaryDirectory() as folder:
        settings = {
            **os.environ,
            "DATABASE_URL": url,
            "DEBUG": "false",
            "SECRET_KEY": secrets.token_urlsafe(50),
            "ALLOWED_HOSTS": "127.0.0.1",
            "SITE_URL": f"http://127.0.0.1:{port}",
            "HTTPS_ONLY": "false",
            "EMAIL_URL": "memorymail://",
            "LOG_LEVEL": "WARNING",
        }
        log = Path(folder) / "gunicorn.log"
        _run({**settings, "DEBUG": "true"}, "manage.py", "demo")
        _run(settings, "manage.py", "collectstatic", "--no-input", "--verbosity", "0")
        with gunicorn(port, workers=2, threads=4, settings=settings, log=log) as process:
            _wait_for(port, process, log)
            yield Server(port, log)


def _run(settings: dict[str, str], *command: str) -> None:
    done = subprocess.run([sys.executable, *command], cwd=PROJECT, env=settings, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}")


def _wait_for(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + LONGEST_START
    while time.monotonic() < end and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.2)
    raise RuntimeError(f"gunicorn did not start:\n{log.read_text(encoding='utf-8')}")
