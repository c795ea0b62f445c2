#!/usr/bin/env python
"""Django's command line, with settings and database errors told in one sentence."""

import os
import sys

from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line
from django.db import InterfaceError, OperationalError


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    try:
        # Read the settings before Django does: it keeps their error back and shows a traceback later.
        __import__(os.environ["DJANGO_SETTINGS_MODULE"])
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        sys.exit(f"Settings: {error}")
    except (OperationalError, InterfaceError) as error:
        sys.exit(f"Database: {str(error).strip()} (DATABASE_URL says which server is used.)")


if __name__ == "__main__":
    main()
