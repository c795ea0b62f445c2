"""The other processes of a bill run. A new process may import this before Django is set up: no models here."""

import multiprocessing
import sys
from concurrent.futures import ProcessPoolExecutor

import django
from django.db import connections


def pool(workers: int) -> ProcessPoolExecutor:
    """Return a pool of processes that work in this one's database, a test's too, over connections of their own.

    On Linux they are forked and start at once; elsewhere each sets Django up anew, which takes seconds. Where one dies
    the pool raises, while multiprocessing's own would start another for ever.
    """
    database = str(connections["default"].settings_dict["NAME"])
    context = multiprocessing.get_context("fork" if sys.platform == "linux" else "spawn")
    return ProcessPoolExecutor(workers, context, initializer=_start, initargs=(database,))


def _start(database: str) -> None:
    django.setup()
    # A forked process forgets the connection it was born with, without a word to the server: psycopg knows the fork.
    del connections["default"]
    connections["default"].settings_dict["NAME"] = database
