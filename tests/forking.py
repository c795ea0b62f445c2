"""A process of its own, with connections of its own, that starts at once: a fork of this one.

A new Python needs two seconds to set Django up, and many tests only want somebody else whom they can kill.
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
    """Return a checkpoint that kills its process (-9) the `times`+1st time that it is passed with this name."""
    left = [times]

    def checkpoint(name: str) -> None:
        if name == point:
            if left[0] == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            left[0] -= 1

    return checkpoint


@dataclass
class Fork:
    """A process that runs the verb, from now on; it fails where the verb raises."""

    verb: Callable[[], object]
    output: IO[bytes] = field(default_factory=TemporaryFile)

    def __post_init__(self) -> None:
        self.pid = os.fork()
        if self.pid == 0:
            status = 1
            try:
                status = self._live()
            finally:
                os._exit(status)  # without the good-byes of the tests' process

    def _live(self) -> int:
        for stream in (1, 2):
            os.dup2(self.output.fileno(), stream)
        sys.stdout = sys.stderr = open(2, "w", closefd=False)  # noqa: SIM115 - it stays open until the end
        database = connection.settings_dict["NAME"]
        # It forgets the connection it was born with, without a word to the server: psycopg knows the fork.
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
        """Return its exit status, negative where a signal killed it, and what it wrote, once it has come to its end."""
        deadline = monotonic() + LONGEST
        while (ended := os.waitpid(self.pid, os.WNOHANG)) == (0, 0):
            if monotonic() > deadline:
                os.kill(self.pid, signal.SIGKILL)
            sleep(0.01)
        self.output.seek(0)
        return os.waitstatus_to_exitcode(ended[1]), self.output.read().decode()


def in_a_fork(verb: Callable[[], object]) -> tuple[int, str]:
    """Run the verb in a process of its own; return its exit status and what it wrote."""
    return Fork(verb).wait()
