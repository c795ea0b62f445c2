"""The deployment check that whoever serves the pages is not the owner of the tables (I18)."""

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Warning
from django.db import connections

# The owner of a table can switch off its guards, and so can a superuser, and whoever is a member of such a role.
ROLE = """
SELECT current_user::text, rolsuper, EXISTS (
    SELECT FROM pg_class c WHERE c.relkind IN ('r', 'p') AND pg_has_role(current_user, c.relowner, 'MEMBER')
        AND c.relnamespace = (SELECT relnamespace FROM pg_class WHERE oid = to_regclass('django_migrations')))
FROM pg_roles WHERE rolname = current_user
"""
HINT = (
    "Run `manage.py make_roles`, and let DATABASE_URL of the web process name the role that ends with _web, and that "
    "of a worker the one that ends with _worker."
)


def check_role(app_configs: Any = None, databases: Sequence[str] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """Return a warning for each database to which this process connects as a superuser or as the tables' owner.

    The embedded server has one role, so it is never warned about.
    """
    messages: list[CheckMessage] = []
    for alias in databases or []:
        if settings.DATABASES[alias]["ENGINE"] == "config.embedded":
            continue
        with connections[alias].cursor() as cursor:
            cursor.execute(ROLE)
            name, is_superuser, is_owner = cursor.fetchone()
        if is_superuser or is_owner:
            what = "a superuser" if is_superuser else "the owner of the tables"
            words = f"This process connects as {name}, {what}, who can switch off every guard."
            messages.append(Warning(words, hint=HINT, id="roles.W001"))
    return messages
