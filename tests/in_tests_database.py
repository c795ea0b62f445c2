"""Runs a `manage.py` command in its own process on the tests' database. Arguments: the database, then the command."""

import os
import sys

import django


def main() -> None:
    database, *arguments = sys.argv[1:]
    import tests.environment  # noqa: F401, PLC0415 - the settings of tests, before Django reads them

    os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
    django.setup()
    from django.core.management import execute_from_command_line  # noqa: PLC0415 - once Django is set up
    from django.db import connection  # noqa: PLC0415

    connection.settings_dict["NAME"] = database
    execute_from_command_line(["manage.py", *arguments])


if __name__ == "__main__":
    main()
