"""How a process that shares in a run starts: imported before Django is set up, so it imports nothing of ours."""

import django
from django.db import connections


def start(database: str) -> None:
    """Prepare a new process; it works in the same database as the one that started it, a test's too."""
    django.setup()
    connections["default"].settings_dict["NAME"] = database
