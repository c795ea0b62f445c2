#!/usr/bin/env python
"""Django's command line, with settings and database errors told in one sentence."""

import os
import sys
import threading

from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line
from django.db import InterfaceError, OperationalError


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    threading.excepthook = _in_a_thread
    try:
        # Read the settings before Django does: it keeps their error back and shows a traceback later.
        __import__(os.environ["DJANGO_SETTINGS_MODULE"])
        execute_from_command_line(sys.argv)
    except (ImproperlyConfigured, OperationalError, InterfaceError) as error:
        sys.exit(_sentence(error))


def _sentence(error: BaseException) -> str:
    """Return the error in one line; libpq's own errors have several."""
    words = " ".join(str(error).split())
    if isinstance(error, ImproperlyConfigured):
        return f"Settings: {words}"
    return f"Database: {words} (DATABASE_URL says which server is used.)"


def _in_a_thread(failure: threading.ExceptHookArgs) -> None:
    """End the process where runserver, which works in a thread under its reloader, can't reach the database."""
    if not isinstance(failure.exc_value, ImproperlyConfigured | OperationalError | InterfaceError):
        threading.__excepthook__(failure)
        return
    print(_sentence(failure.exc_value), file=sys.stderr, flush=True)  # noqa: T201
    os._exit(1)


if __name__ == "__main__":
    main()
