"""The environment that tests run with, set before Django reads it, so that a developer's `.env` has no effect."""

import os

from config import database

os.environ["DEBUG"] = "true"
os.environ["EMAIL_URL"] = "memorymail://"
os.environ["LOG_LEVEL"] = "WARNING"
os.environ["STAFF_SECOND_FACTOR"] = "false"
os.environ["MAINTENANCE_FILE"] = "tests/.maintenance"  # never exists
os.environ.setdefault("DATABASE_URL", "")

# A separate server for tests, because it runs without durability (see tests/conftest.py), and the demo's must not.
database.SERVERS = database.PROJECT / ".postgres" / "tests"
