"""Runs a `manage.py` command against the tests' database. Arguments: the database's name, and the command.

If the environment variable TEMPLATE names a migrated database, a database that the command creates is a copy of it.
"""

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
    if role := os.environ.get("DATABASE_ROLE_OF_TEST"):  # tests/roles.py
        connection.settings_dict["OPTIONS"]["options"] += f" -c role={role}"
    connection.settings_dict["TEST"]["TEMPLATE"] = os.environ.get("TEMPLATE")
    execute_from_command_line(["manage.py", *arguments])


if __name__ == "__main__":
    main()
