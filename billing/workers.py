"""The other processes of a bill run. A new process imports this before Django is set up: no models here."""

import multiprocessing
from multiprocessing.pool import Pool

import django
from django.db import connections


def pool(workers: int) -> Pool:
    """Return a pool of new processes that work in the same database as this one, a test's too."""
    database = str(connections["default"].settings_dict["NAME"])
    return multiprocessing.get_context("spawn").Pool(workers, initializer=_start, initargs=[database])


def _start(database: str) -> None:
    django.setup()
    connections["default"].settings_dict["NAME"] = database
