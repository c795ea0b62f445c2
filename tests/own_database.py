"""A database of its own for a tool like the fuzzer, on the server of the tests, which needs no durability."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import quote

import psycopg

from config.database import embedded_server_address
from tests import environment

assert environment, "it chooses the server of the tests"


@contextmanager
def own_database(what: str) -> Iterator[str]:
    """Create an empty database, yield its DATABASE_URL, and drop it at the end."""
    address = embedded_server_address()
    name = f"{what}_{os.getpid()}"
    admin = {"dbname": "postgres", "user": "postgres", "autocommit": True, **address}
    with psycopg.connect(**admin) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    try:
        yield f"postgres://postgres@/{name}?host={quote(address['host'], safe='')}&port={address['port']}"
    finally:
        with psycopg.connect(**admin) as connection:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
