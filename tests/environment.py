"""The settings tests run with, put in place before Django reads them; a developer's `.env` does not count."""

import os

os.environ["DEBUG"] = "true"
os.environ["EMAIL_URL"] = "memorymail://"
os.environ["LOG_LEVEL"] = "WARNING"
os.environ["STAFF_SECOND_FACTOR"] = "false"
os.environ["MAINTENANCE_FILE"] = "tests/.maintenance"  # which nobody makes
os.environ.setdefault("DATABASE_URL", "")
