"""Runs code in a fork of this process, with its own database connections.

A new Python process takes two seconds to set up Django; a fork starts immediately. Many tests only need another process
that they can kill.
"""

import os
import signal
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from tempfile import TemporaryFile
from time import monotonic, sleep
from typing import IO

from django.db import connection, connections

KILLED = -signal.SIGKILL
LONGEST = 120


def dies_at(point: str, times: int) -> Callable[[str], None]:
    """Return a checkpoint that kills its process (SIGKILL) on call number `times` + 1 with this name."""
    left = [times]

    def checkpoint(name: str) -> None:
        if name == point:
            if left[0] == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            left[0] -= 1

    return checkpoint


@dataclass
class Fork:
    """A forked process that starts to run `verb` immediately. Its exit status is 1 if `verb` raises."""

    verb: Callable[[], object]
    output: IO[bytes] = field(default_factory=TemporaryFile)

    def __post_init__(self) -> None:
        self.pid = os.fork()
        if self.pid == 0:
            status = 1
            try:
                status = self._live()
            finally:
                os._exit(status)  # without the exit handlers of the tests' process

    def _live(self) -> int:
        for stream in (1, 2):
            os.dup2(self.output.fileno(), stream)
        sys.stdout = sys.stderr = open(2, "w", closefd=False)  # noqa: SIM115 - it stays open until the end
        database = connection.settings_dict["NAME"]
        # Drop the inherited connection. Nothing is sent to the server, because psycopg detects the fork.
        del connections["default"]
        connection.settings_dict["NAME"] = database
        try:
            self.verb()
        except SystemExit as exit:
            return int(exit.code or 0)
        except BaseException:
            traceback.print_exc()
            return 1
        finally:
            sys.stderr.flush()
        return 0

    def wait(self) -> tuple[int, str]:
        """Wait for the end; return (exit status, output). The status is negative if a signal killed the process."""
        deadline = monotonic() + LONGEST
        while (ended := os.waitpid(self.pid, os.WNOHANG)) == (0, 0):
            if monotonic() > deadline:
                os.kill(self.pid, signal.SIGKILL)
            sleep(0.01)
        self.output.seek(0)
        return os.waitstatus_to_exitcode(ended[1]), self.output.read().decode()


def in_a_fork(verb: Callable[[], object]) -> tuple[int, str]:
    """Run `verb` in a fork, and return (exit status, output)."""
    return Fork(verb).wait()
