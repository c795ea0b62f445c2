"""The worker processes of a bill run. They may import this before Django is set up, so it must not import models."""

import multiprocessing
import sys
from concurrent.futures import ProcessPoolExecutor

import django
from django.db import connections


def pool(workers: int) -> ProcessPoolExecutor:
    """Return a pool of processes that use this one's database, even a test's, through their own connections.

    On Linux they are forked and start immediately; elsewhere each sets Django up again, which takes seconds. If one
    dies, this pool raises an error; the one of `multiprocessing` would keep starting others.
    """
    database = str(connections["default"].settings_dict["NAME"])
    context = multiprocessing.get_context("fork" if sys.platform == "linux" else "spawn")
    return ProcessPoolExecutor(workers, context, initializer=_start, initargs=(database,))


def _start(database: str) -> None:
    django.setup()
    # A forked process drops the connection it inherited. The parent can still use it: psycopg notices the fork, and
    # doesn't tell the server that the connection is closed.
    del connections["default"]
    connections["default"].settings_dict["NAME"] = database
